# Sourced by npm-script.sh. pack FOLDER [npm's arguments]: creates the contents of the published package in a new
# folder, and runs npm pack there. The package contains the bundle and depends on no other package; it runs with
# the user's Node, 24 or newer. It has a package.json of its own, because the checkout's lists the packages for
# running and testing the sources.

pack() {
	_folder=$1
	shift
	rm -rf "$_folder"
	_version=$(node -p 'require("./package.json").version')
	# The name of the build contains a checksum of the sources, so that the code caches of two packages never mix.
	_sources=$(find src examples/kuard -name '*.ts' | LC_ALL=C sort | xargs cat package-lock.json | cksum | cut -d ' ' -f 1)
	bundle_into "$_folder/dist" "$_version-$_sources"
	rm "$_folder/dist/stamp"
	# bundle-loader.ts loads it if Node has no Temporal.
	cp node_modules/temporal-polyfill/global.js "$_folder/dist/temporal.cjs"
	cp stint README.md CHANGELOG.md LICENSE "$_folder/"
	cp -R docs "$_folder/"
	node tools/package-files.ts "$_folder"
	# The caller's npm may not run with the pinned Node, so it gets the caller's PATH.
	(cd "$_folder" && PATH=$_caller_path npm pack --pack-destination "$STINT_HOME" "$@")
}
