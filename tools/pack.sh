# Sourced by npm-script.sh. pack FOLDER [npm's arguments]: lays out the published package in a new folder, and
# has npm pack it. The package holds the bundle and needs no other package; it runs with the Node of its user,
# 24 or newer. Its package.json is not the checkout's, whose packages are for running and testing the sources.

pack() {
	_folder=$1
	shift
	rm -rf "$_folder"
	_version=$(node -p 'require("./package.json").version')
	# Named after what is in it, so that the code caches of two packages never mix.
	_sources=$(find src examples/kuard -name '*.ts' | LC_ALL=C sort | xargs cat package-lock.json | cksum | cut -d ' ' -f 1)
	bundle_into "$_folder/dist" "$_version-$_sources"
	rm "$_folder/dist/stamp"
	# Loaded where Node has no Temporal (see bundle-loader.ts).
	cp node_modules/temporal-polyfill/global.js "$_folder/dist/temporal.cjs"
	cp stint README.md CHANGELOG.md LICENSE "$_folder/"
	cp -R docs "$_folder/"
	node tools/package-files.ts "$_folder"
	# With the caller's npm and the Node that it wants.
	(cd "$_folder" && PATH=$_caller_path npm pack --pack-destination "$STINT_HOME" "$@")
}
