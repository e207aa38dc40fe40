// Package web is the page on which passengers book seats and clerks look after trains. It is plain ES
// modules and CSS: what is in app and vendor is what a browser runs, without a build step. The page
// uses only the public API.
//
//	app/index.html   the shell; New adds the import map and the hashed names
//	app/main.js      starts the page; app-shell.js is the frame, routes.js lists the views
//	app/*.js         what every view uses: api, session, router, texts, format, …
//	app/views        one view a file, loaded when it is first visited
//	app/parts        components and functions that views share
//	app/admin        the views for admins, with their own parts and texts
//	app/css          base and parts; others are loaded with the views that need them (styles.js)
//	vendor           Lit, as npm has it: `make web-vendor` copies the files that are imported
//
// State flows one way. The address says which view is shown and what it shows: the search, the chosen
// seats, the page of a list. The router reads it and passes it to the view as a property; a view loads
// what it shows through api.js, renders it, and changes the address (navigate) or calls the API. Only
// three modules keep state for the whole page: router.js, session.js and announce.js.
//
// A view extends View (view.js). It renders into the document itself, so that labels, ids and the one
// stylesheet work everywhere. View also shows that something is loading or has failed. To add a view,
// write app/views/NAME.js, and add its path to app/routes.js, to Paths here, and its words to texts.js.
//
// `make web-check` checks the types, which are in JSDoc. `make verify` also checks that vendor has what npm
// has.
//
// Files are served with the hash of their content in their name, and may be cached for ever; the import
// map in index.html maps the plain names in the sources to these. index.html itself is revalidated each
// time. Nothing is loaded from other hosts, and the policy forbids inline scripts and styles: set a style
// through the CSSOM, never with style= in a template.
package web
