#!/bin/sh
# Copies what the page imports of Lit from web/node_modules, which `make web-tool` installs as
# tools/web/package-lock.json says. The files are unchanged; SHA256SUMS is checked by the tests.
set -eu
cd "$(dirname "$0")"

rm -rf vendor
for file in \
	lit/LICENSE lit/index.js lit/directives/live.js lit/directives/repeat.js \
	lit-element/LICENSE lit-element/lit-element.js \
	lit-html/LICENSE lit-html/lit-html.js lit-html/is-server.js lit-html/directive.js lit-html/directive-helpers.js \
	lit-html/directives/live.js lit-html/directives/repeat.js \
	@lit/reactive-element/LICENSE @lit/reactive-element/reactive-element.js @lit/reactive-element/css-tag.js; do
	mkdir -p "vendor/$(dirname "$file")"
	cp "node_modules/$file" "vendor/$file"
done
version() { sed -n 's/^  "version": "\(.*\)",$/\1/p' "node_modules/$1/package.json"; }
for package in lit lit-element lit-html @lit/reactive-element; do
	echo "$package $(version $package)"
done >vendor/VERSIONS
cd vendor
sum=$(command -v sha256sum || echo 'shasum -a 256')
find . -type f ! -name SHA256SUMS | sed 's|^\./||' | LC_ALL=C sort | xargs $sum >../SHA256SUMS
mv ../SHA256SUMS .
