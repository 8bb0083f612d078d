/**
 * The entry point of the bundle (see tools/bundle.sh): loads one of the two bundles beside it, with the code
 * that V8 compiled in earlier runs.
 *
 * 1. `client.cjs` contains the commands that are only clients of a server, `server.cjs` all of stint. A
 *    process loads exactly one of them, so that each class exists once in the process.
 * 2. V8's code cache is stored per command. Node's own compile cache is not used: it contains only functions
 *    compiled when a file was loaded, and not those that ran later, which are most of a command.
 * 3. The cache is only an optimization: errors while reading or writing it are ignored, and the command runs
 *    without it.
 *
 * This file avoids new syntax, so that an old Node can parse it and print that it is too old.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { constants, Script } from 'node:vm';
import { attempt } from '../base/attempt.ts';
import { SystemClock } from '../base/clock.ts';
import { makeFolders } from '../base/files/folders.ts';
import { CLIENT_COMMANDS } from './client-commands.ts';

/** Unique name of this build, set by tools/bundle.sh. */
declare const STINT_BUILD: string;

const OLDEST_NODE = 24;

/** Number of successful runs of a command that add the functions they compiled to its cache. */
const GENERATIONS = 3;

/**
 * Time after the start of a server at which the cache is written: V8 discards the code of the start within
 * minutes.
 */
const SERVER_STARTED_MS = 5000;

/** Age at which the caches of another build are removed. */
const STALE_CACHE_MS = 30 * 24 * 3_600_000;

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
	process.stderr.write(
		`error: Node.js ${process.version} is too old: stint needs Node.js ${OLDEST_NODE} or newer\n`,
	);
	process.exitCode = 1;
} else {
	hideExperimentalWarnings();
	// Temporal is built in from Node 26. The bundle of a checkout, which has its own Node, has no temporal.cjs.
	if (!('Temporal' in globalThis)) require(join(__dirname, 'temporal.cjs'));
	load(bundleOf(process.argv.slice(2)));
}

/** The bundle to load, and the name of the code cache for this command. */
interface Choice {
	readonly bundle: 'client.cjs' | 'server.cjs';
	readonly use: string;
}

function bundleOf(args: readonly string[]): Choice {
	const [first = '--help'] = args;
	const help = ['help', '-h', '--help', '-V', '--version'];
	if (help.includes(first)) return { bundle: 'client.cjs', use: 'help' };
	const bundle = CLIENT_COMMANDS.includes(first) ? 'client.cjs' : 'server.cjs';
	if (args.some((arg) => help.includes(arg))) return { bundle, use: 'help' };
	return { bundle, use: /^[a-z]+$/.test(first) ? first : 'other' };
}

/**
 * Suppresses the warning that node:sqlite is experimental: stint depends on it, and users cannot act on the
 * warning.
 */
function hideExperimentalWarnings(): void {
	const listeners = process.listeners('warning');
	process.removeAllListeners('warning');
	process.on('warning', (warning) => {
		if (warning.name === 'ExperimentalWarning') return;
		for (const listener of listeners) listener.call(process, warning);
	});
}

function load({ bundle, use }: Choice): void {
	const filename = join(__dirname, bundle);
	const cache = readCache(`${bundle}-${use}`);
	// The text is a function already, and is passed as it was read. To join it with a prefix, V8 would copy its two
	// megabytes within its heap, which takes 5 ms of a start with the garbage collection that it causes. The bundler
	// writes only ASCII.
	const script = new Script(readFileSync(filename, 'latin1'), {
		filename,
		...(cache.data && { cachedData: cache.data }),
		importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
	});
	const generation = cache.data && !script.cachedDataRejected ? cache.generation : 0;
	if (generation < GENERATIONS) {
		const name = `${bundle}-${use}.${generation + 1}`;
		let isKept = false;
		const keep = (): void => {
			if (!isKept) writeCache(name, script.createCachedData());
			isKept = true;
		};
		if (use === 'server') new SystemClock().setTimer(SERVER_STARTED_MS, keep);
		process.once('exit', (code) => {
			if (code === 0) keep();
		});
	}
	script.runInThisContext()(exports, require, module, filename, __dirname);
}

/**
 * The folders to try for the cache: beside the bundle, then, if that is not writable, the user's XDG cache
 * folder.
 */
function cacheFolders(): readonly string[] {
	return [join(__dirname, 'code'), join(userCaches(), STINT_BUILD)];
}

function userCaches(): string {
	const { XDG_CACHE_HOME: xdg } = process.env;
	return join(xdg?.startsWith('/') ? xdg : join(homedir(), '.cache'), 'stint');
}

function readCache(name: string): { readonly data?: Buffer; readonly generation: number } {
	for (let generation = GENERATIONS; generation > 0; generation--) {
		for (const folder of attempt(cacheFolders) ?? []) {
			const data = attempt(() => readFileSync(join(folder, `${name}.${generation}`)));
			if (data) return { data, generation };
		}
	}
	return { generation: 0 };
}

function writeCache(name: string, data: Buffer): void {
	for (const folder of attempt(cacheFolders) ?? []) {
		const isWritten = attempt(() => {
			makeFolders(folder, 0o755);
			const draft = join(folder, `${name}-${process.pid}`);
			writeFileSync(draft, data);
			renameSync(draft, join(folder, name));
			return true;
		});
		if (isWritten) break;
	}
	attempt(removeStaleCaches);
}

function removeStaleCaches(): void {
	const now = new SystemClock().now();
	for (const build of readdirSync(userCaches())) {
		const folder = join(userCaches(), build);
		if (now - statSync(folder).mtimeMs > STALE_CACHE_MS) rmSync(folder, { recursive: true });
	}
}
