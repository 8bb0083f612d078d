import { jobs } from '../../api/batch/job/definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { shellWord } from '../../base/shell-word.ts';
import { displayName } from '../args/resource-args.ts';
import { calledAs } from '../called-as.ts';
import {
	type CliContext,
	CommandError,
	type CommonFlags,
	type Connection,
	type Interruption,
} from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { applyObject, createObject } from '../manifest/apply-object.ts';
import { type CheckedObject, checkDocument, isChecked, type NamespaceChoice } from '../manifest/check.ts';
import type { ManifestDocument } from '../manifest/document.ts';
import { loadManifests } from '../manifest/load.ts';
import { toJson } from '../print/json.ts';
import { unknownForm } from '../print/output-form.ts';
import { toYaml } from '../print/yaml.ts';
import { type JobFlags, jobFromFlags, refuseJobFlags } from '../run/job-from-flags.ts';
import { haveRuntime } from '../run/node-runtime.ts';
import { RunSession, type RunSessionOptions } from '../run/run-session.ts';
import { RUNTIME_VARIABLE, type RuntimeChoice, runtimeNamed } from '../runtime-name.ts';

/** The flags of `run`. */
export interface RunFlags extends CommonFlags, JobFlags {
	readonly filename: readonly string[];
	/** Prints the output without prefixes, as -i does too. */
	readonly attach?: boolean;
	/** Deletes the Job at the end of an attached run. */
	readonly rm?: boolean;
	readonly quiet?: boolean;
	readonly force?: boolean;
	/** Starts a server for this run even if another one is running. */
	readonly embedded?: boolean;
	/** The container runtime of a server that this run starts. Default: that of STINT_RUNTIME, else `process`. */
	readonly runtime?: string;
	/** Only creates the objects and returns; the running server runs them. */
	readonly detach?: boolean;
	/** Only prints the Job that the flags describe. */
	readonly dryRun?: boolean | string;
	readonly output?: string;
}

/**
 * `stint run`: runs Jobs and Pods until they finish and prints their logs. It uses the running stint server;
 * if there is none, it starts an embedded one and stops it at the end. With `detach` it only creates them on
 * the running server. Resolves to the exit code: 0 if all completed; if the only one failed, the exit code of
 * the container that failed last; after an interruption 128 plus the number of the signal; otherwise 1.
 */
export async function runObjects(
	context: CliContext,
	words: readonly string[],
	flags: RunFlags,
): Promise<number> {
	const [name] = words;
	const dryRun = isDry(flags.dryRun);
	if (flags.filename.length === 0 && name === undefined)
		throw new CommandError('nothing to run: specify a manifest (-f FILE), or a name and --image=IMAGE');
	if (flags.filename.length > 0 && name !== undefined)
		throw new CommandError(`give either -f or a name, not both (${name})`);
	if (flags.filename.length > 0) refuseJobFlags(flags);
	const attached = name !== undefined && !flags.detach && ((flags.stdin || flags.attach) ?? false);
	if (flags.rm && !attached) throw new CommandError('--rm should only be used for attached containers');
	if (dryRun && flags.attach) throw new CommandError(ATTACHED_DRY_RUN);
	const form = dryRunForm(flags.output, dryRun);
	const runtime = chosenRuntime(context, flags);
	const running =
		flags.embedded || dryRun
			? undefined
			: await context.findRunning(flags.kubeconfig, { embeds: !flags.detach });
	// Read and check all input before starting a server: an error in a manifest should not cost a start.
	const namespace = flags.namespace ?? running?.namespace ?? 'default';
	const choice = { namespace, enforced: flags.namespace !== undefined };
	const objects = await objectsOf(context, words, { flags, choice });
	if (dryRun) return print(context, objects, form);
	if (!objects.some(({ definition }) => definition === jobs || definition === pods))
		throw new CommandError(
			`the manifest contains no Job or Pod to run; to create its objects: ${calledAs('apply')}`,
		);
	// As with kubectl run, a Job from flags must be new. A manifest may describe a Job that exists: apply it.
	const send = name === undefined ? applyObject : createObject;
	if (running) await warnOfRuntime(context, { connection: running, runtime }, flags);
	if (flags.detach) return sendOnly(context, running, { objects, send });
	const options = {
		objects,
		send,
		prefixed: !attached,
		input: flags.stdin && attached ? { tty: flags.tty ?? false, quiet: flags.quiet ?? false } : undefined,
		remove: flags.rm ?? false,
		force: flags.force ?? false,
		imageHint: name === undefined ? undefined : imageHint(words, flags),
	};
	if (running) return new RunSession(context, { connection: running, ...options }).run();
	return runEmbedded(context, runtime, options);
}

/** The runtime of an embedded server. `source` is the flag or variable that names it; undefined for the default. */
interface ChosenRuntime extends RuntimeChoice {
	readonly source?: string;
}

/** Throws an Error for the user if there is no runtime of that name. */
function chosenRuntime(context: CliContext, { runtime }: RunFlags): ChosenRuntime {
	const variable = context.variable(RUNTIME_VARIABLE) || undefined;
	const name = runtime ?? variable;
	if (name === undefined) return { name: 'process' };
	const source = runtime === undefined ? RUNTIME_VARIABLE : '--runtime';
	return { ...runtimeNamed(name, source), source };
}

/** Warns if the running server may have another runtime than the chosen one. With --detach there is no other server to use. */
async function warnOfRuntime(
	{ stderr }: CliContext,
	{ connection, runtime }: { readonly connection: Connection; readonly runtime: ChosenRuntime },
	{ detach }: RunFlags,
): Promise<void> {
	const { name, endpoint, source } = runtime;
	if (source === undefined || (endpoint === undefined && (await haveRuntime(connection, name)))) return;
	const remedy = detach ? '' : '; to run on a server of its own: --embedded';
	stderr.print(`Warning: ${source} has no effect: the running server decides the runtime${remedy}\n`);
}

/** The hint for an image that stands for no program: the user's own command line with --command added. */
function imageHint(
	[name = '', ...args]: readonly string[],
	{ image = '', command }: RunFlags,
): string | undefined {
	if (command) return undefined;
	const program = args.length > 0 ? args : ['echo', 'hello'];
	const words = ['run', name, `--image=${image}`, '--command', '--', ...program];
	return `to run a program of this machine, add --command: ${calledAs(words.map(shellWord).join(' '))}`;
}

/** As kubectl; but -i and -t without --attach may be printed, since the manifest shows what they set. */
const ATTACHED_DRY_RUN =
	"--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)";

/** `--dry-run` without a mode takes the next word for one, in commander as in kubectl: the error says how to write both. */
function isDry(mode: boolean | string = false): boolean {
	if (typeof mode === 'boolean') return mode;
	if (['client', 'server', 'none'].includes(mode)) return mode !== 'none';
	throw new CommandError(`--dry-run: unknown mode "${mode}"; write --dry-run=client, followed by the name`);
}

/** Runs on an embedded server, which is stopped in every case: success, failure or interruption. */
async function runEmbedded(
	context: CliContext,
	runtime: RuntimeChoice,
	options: Omit<RunSessionOptions, 'connection'>,
): Promise<number> {
	// Without a listener, a signal before or after the session would end the process and leave the launcher and
	// its data folder behind.
	let early: Interruption | undefined;
	const off = context.onInterrupt((by) => {
		early ??= by;
	});
	try {
		const embedded = await context.startEmbedded(runtime);
		try {
			if (early) return EXIT_CODES[early];
			return await new RunSession(context, { connection: embedded, ...options }).run();
		} finally {
			await embedded.stop();
		}
	} finally {
		off();
	}
}

/**
 * The checked objects of the manifest, or the Job of the flags. The latter gets a document without text, so
 * that its problems are printed without file and line.
 */
async function objectsOf(
	context: CliContext,
	[name, ...args]: readonly string[],
	{ flags, choice }: { readonly flags: RunFlags; readonly choice: NamespaceChoice },
): Promise<readonly CheckedObject[]> {
	if (name === undefined) return loadManifests(context, flags.filename, choice);
	const span = { line: 1, column: 1, length: 1 };
	const document: ManifestDocument = {
		file: { name: 'the command line', text: '' },
		object: jobFromFlags(name, args, flags),
		spanOf: () => span,
		keySpanOf: () => span,
	};
	const checked = checkDocument(document, choice);
	if (isChecked(checked)) return [checked];
	throw new CommandError(checked.map(({ message }) => message).join('\n'));
}

/** The formats of a manifest; tables and templates would need an object of the server. */
type DryRunForm = 'json' | 'name' | 'yaml';

const DRY_RUN_FORMS: readonly DryRunForm[] = ['json', 'name', 'yaml'];

/** Parses the value of `-o`. Throws a CommandError for an unknown format, and if --dry-run is missing. */
function dryRunForm(output: string | undefined, dryRun: boolean): DryRunForm {
	if (output === undefined) return 'yaml';
	const form = DRY_RUN_FORMS.find((each) => each === output);
	if (form === undefined) throw unknownForm(output, DRY_RUN_FORMS);
	if (!dryRun) throw new CommandError('-o prints the Job instead of running it: add --dry-run=client');
	return form;
}

/** Prints the objects as they would be sent: without defaults, so that the output is a manifest to keep. */
function print(context: CliContext, objects: readonly CheckedObject[], form: DryRunForm): number {
	for (const [index, { document, definition, object }] of objects.entries()) {
		if (form === 'name') {
			context.stdout.print(`${displayName(definition, object)}\n`);
			continue;
		}
		if (index > 0) context.stdout.write('---\n');
		context.stdout.write(form === 'json' ? toJson(document.object) : toYaml(document.object));
	}
	return 0;
}

/**
 * `--detach`: creates the objects and returns. An embedded server would end with this process, so it is not
 * used.
 */
async function sendOnly(
	context: CliContext,
	connection: Connection | undefined,
	{ objects, send }: Pick<RunSessionOptions, 'objects' | 'send'>,
): Promise<number> {
	if (!connection)
		throw new CommandError(`--detach requires a running server; start one with: ${calledAs('server')}`);
	for (const checked of objects) {
		const { object, outcome } = await send(connection, checked);
		context.stdout.print(`${displayName(checked.definition, object)} ${outcome}\n`);
	}
	return 0;
}
