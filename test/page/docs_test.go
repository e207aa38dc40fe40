package page_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

func TestDocsPageSendsARequestWithAnID(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := open(t, s.URL)
	run(b, chromedp.Navigate(s.URL+"/docs#/trains/findTrain"))
	b.click(docs(".try-out button"))
	id := docs("[data-param-name=id][data-param-in=path] input")
	b.click(id)
	eval[bool](b, id+".select() ?? true") // it has the example
	b.press(s.train("Jaipur", "Mumbai", "Duranto Express"))
	b.click(docs(".execute"))
	b.await(docs(".live-responses-table tbody .response-col_status") + "?.innerText.startsWith('200')")
	b.awaitText(`"name": "Duranto Express"`)
}

// docs is an element of the operation findTrain.
func docs(selector string) string {
	return "document.querySelector('#operations-trains-findTrain " + selector + "')"
}
