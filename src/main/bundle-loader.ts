/**
 * The program that Node runs where stint is bundled (see tools/bundle.sh): loads one of the two bundles that
 * lie beside it, with the code that V8 compiled in earlier runs.
 *
 * 1. `client.cjs` holds the commands that only talk to a server, `server.cjs` all of stint. A process loads
 *    one of them, so that each class exists once in it.
 * 2. V8's code cache is kept per command. Node's own compile cache does not do here: it holds what was
 *    compiled when a file was loaded, and not the functions that ran later, which are most of a command.
 * 3. The cache is a help and no need: what goes wrong with it is ignored, and the command runs without it.
 *
 * The syntax stays plain enough for an old Node to read it, which is then told that it is too old.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { constants, Script } from 'node:vm';
import { attempt } from '../base/attempt.ts';
import { SystemClock } from '../base/clock.ts';
import { makeFolders } from '../base/folders.ts';
import { CLIENT_COMMANDS } from './client-commands.ts';

/** Set by tools/bundle.sh: a name that no other build has. */
declare const STINT_BUILD: string;

const OLDEST_NODE = 24;

/** How many successful runs of a command add their functions to its cache. */
const GENERATIONS = 3;

/** When a server's start is cached: while it runs, since V8 forgets the code of a start within minutes. */
const SERVER_STARTED_MS = 5000;

/** When a folder of caches that another build left is removed. */
const STALE_CACHE_MS = 30 * 24 * 3_600_000;

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
	process.stderr.write(
		`error: Node.js ${process.version} is too old: stint needs Node.js ${OLDEST_NODE} or newer\n`,
	);
	process.exitCode = 1;
} else {
	hideExperimentalWarnings();
	// Built in from Node 26 on. The folder of a checkout, which has its own Node, holds no such file.
	if (!('Temporal' in globalThis)) require(join(__dirname, 'temporal.cjs'));
	load(bundleOf(process.argv.slice(2)));
}

/** Which bundle to load, and the name of the cache for this use of it. */
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

/** node:sqlite is what stint rests on; that it may still change is known, and no news for a user. */
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
	const prefix = '(function (exports, require, module, __filename, __dirname) {';
	// The bundler writes nothing but ASCII, and a string of single bytes is read the fastest.
	const script = new Script(`${prefix}${readFileSync(filename, 'latin1')}\n})`, {
		filename,
		columnOffset: -prefix.length,
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

/** Beside the bundle; for a user who may not write there, in the folder that XDG names. */
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
