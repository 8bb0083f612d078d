import { jobs } from '../api/batch/job/definition.ts';
import { pods } from '../api/core/pod/definition.ts';
import { shellWord } from '../base/shell-word.ts';
import { applyObject, createObject } from './apply-object.ts';
import { calledAs } from './called-as.ts';
import {
	type CliContext,
	CommandError,
	type CommonFlags,
	type Connection,
	type Interruption,
} from './context.ts';
import { type CheckedObject, checkDocument, isChecked, type NamespaceChoice } from './manifest/check.ts';
import type { ManifestDocument } from './manifest/document.ts';
import { loadManifests } from './manifest/load.ts';
import { toJson } from './print/json.ts';
import { unknownForm } from './print/output-form.ts';
import { toYaml } from './print/yaml.ts';
import { type JobFlags, jobFromFlags, refuseJobFlags } from './run/job-from-flags.ts';
import { EXIT_CODES, RunSession, type RunSessionOptions } from './run/run-session.ts';
import { displayName } from './targets.ts';

/** The flags of `run`. */
export interface RunFlags extends CommonFlags, JobFlags {
	readonly filename: readonly string[];
	readonly stdin?: boolean;
	readonly force?: boolean;
	/** A server of its own, whatever else runs. */
	readonly embedded?: boolean;
	/** Only create the objects; the server runs them. */
	readonly detach?: boolean;
	/** Only print the Job that the flags describe. */
	readonly dryRun?: boolean | string;
	readonly output?: string;
}

/**
 * `stint run`: runs Jobs (and Pods) to their end and shows what they do. Uses the stint server that
 * runs, or else one of its own, which is gone afterwards. With `detach` it only creates them, on a server
 * that runs. Resolves to the exit code: 0 when all
 * completed; the exit code of the container that failed last, when the only one failed; 128 and the
 * signal's number when it was interrupted; otherwise 1.
 */
export async function run(context: CliContext, words: readonly string[], flags: RunFlags): Promise<number> {
	const [name] = words;
	const dryRun = isDry(flags.dryRun);
	if (flags.filename.length === 0 && name === undefined)
		throw new CommandError('what is to run? Give a manifest (-f FILE) or a name with --image=IMAGE');
	if (flags.filename.length > 0 && name !== undefined)
		throw new CommandError(`give either -f or a name, not both (${name})`);
	if (flags.filename.length > 0) refuseJobFlags(flags);
	const form = dryRunForm(flags.output, dryRun);
	const running = flags.embedded || dryRun ? undefined : await context.findRunning(flags.kubeconfig);
	// Everything is read and checked before a server is started for it.
	const namespace = flags.namespace ?? running?.namespace ?? 'default';
	const choice = { namespace, enforced: flags.namespace !== undefined };
	const objects = await objectsOf(context, words, { flags, choice });
	if (dryRun) return print(context, objects, form);
	if (!objects.some(({ definition }) => definition === jobs || definition === pods))
		throw new CommandError(
			`the manifest holds no Job and no Pod to run; to create what is in it: ${calledAs('apply')}`,
		);
	// A Job from flags is a new one, as with kubectl run; a manifest may be of one that is there already.
	const send = name === undefined ? applyObject : createObject;
	if (flags.detach) return sendOnly(context, running, { objects, send });
	if (flags.stdin && name !== undefined) context.onInput(() => context.stderr.print(INPUT_IS_LOST));
	const options = {
		objects,
		send,
		prefixed: flags.filename.length > 0 || !flags.stdin,
		force: flags.force ?? false,
		imageHint: name === undefined ? undefined : imageHint(words, flags),
	};
	if (running)
		return new RunSession(context, { connection: running, embedded: false, ...options }).toTheEnd();
	return runEmbedded(context, options);
}

/** The command that was given, as one that names the program to run. */
function imageHint(
	[name = '', ...args]: readonly string[],
	{ image = '', command }: RunFlags,
): string | undefined {
	if (command) return undefined;
	const program = args.length > 0 ? args : ['echo', 'hello'];
	const words = ['run', name, `--image=${image}`, '--command', '--', ...program];
	return `to run a program of this machine, give --command: ${calledAs(words.map(shellWord).join(' '))}`;
}

/** Until Pods can be attached to; said instead of dropping the input in silence. */
const INPUT_IS_LOST =
	'Warning: standard input does not reach the container: this version cannot attach to it\n';

function isDry(mode: boolean | string = false): boolean {
	if (typeof mode === 'boolean') return mode;
	if (['client', 'server', 'none'].includes(mode)) return mode !== 'none';
	throw new CommandError(
		`--dry-run: there is no mode "${mode}"; write --dry-run=client, and the name after it`,
	);
}

/** Runs on a server that is there for this run alone; whatever happens, it is gone afterwards. */
async function runEmbedded(
	context: CliContext,
	options: Omit<RunSessionOptions, 'connection' | 'embedded'>,
): Promise<number> {
	// An interruption before or after the session must not end the process with the server still there.
	let early: Interruption | undefined;
	const off = context.onInterrupt((by) => {
		early ??= by;
	});
	try {
		const embedded = await context.startEmbedded();
		try {
			if (early) return EXIT_CODES[early];
			return await new RunSession(context, { connection: embedded, embedded: true, ...options }).toTheEnd();
		} finally {
			await embedded.stop();
		}
	} finally {
		off();
	}
}

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

type DryRunForm = 'json' | 'name' | 'yaml';

const DRY_RUN_FORMS: readonly DryRunForm[] = ['json', 'name', 'yaml'];

/** Reads the value of `-o`. Throws a CommandError for a form that there is not, and without --dry-run. */
function dryRunForm(output: string | undefined, dryRun: boolean): DryRunForm {
	if (output === undefined) return 'yaml';
	const form = DRY_RUN_FORMS.find((each) => each === output);
	if (form === undefined) throw unknownForm(output, DRY_RUN_FORMS);
	if (!dryRun)
		throw new CommandError('-o prints the Job instead of running it: give --dry-run=client as well');
	return form;
}

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

async function sendOnly(
	context: CliContext,
	connection: Connection | undefined,
	{ objects, send }: Pick<RunSessionOptions, 'objects' | 'send'>,
): Promise<number> {
	if (!connection)
		throw new CommandError(
			`--detach needs a server that stays and runs the Job; start one with: ${calledAs('server')}`,
		);
	for (const checked of objects) {
		const { object, outcome } = await send(connection, checked);
		context.stdout.print(`${displayName(checked.definition, object)} ${outcome}\n`);
	}
	return 0;
}
