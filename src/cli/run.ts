import { jobs } from '../api/batch/job/definition.ts';
import type { Job, JobCondition } from '../api/batch/job/schema.ts';
import { isApiError } from '../api/meta/api-error.ts';
import { humanDuration } from '../api/meta/duration.ts';
import { timeOf } from '../api/meta/time.ts';
import { applyObject } from './apply.ts';
import {
	type CliContext,
	CommandError,
	type CommonFlags,
	type Connection,
	type Embedded,
} from './context.ts';
import { type CheckedObject, checkDocument } from './manifest/check.ts';
import { describeProblem, loadManifests } from './manifest/load.ts';
import { digestText, exitCodeOf, failuresOf } from './run/digest.ts';
import { type JobFlags, jobFromFlags } from './run/job-from-flags.ts';
import { Screen } from './run/screen.ts';
import { RunSession } from './run/session.ts';

/** The flags of `run`. */
export interface RunFlags extends CommonFlags, JobFlags {
	readonly filename: readonly string[];
	readonly stdin?: boolean;
}

/**
 * `stint run`: runs Jobs to their end and shows what they do. Uses the stint server that runs, or else
 * one of its own, which is gone afterwards. Resolves to the exit code: 0 when all Jobs completed; the
 * exit code of the container that failed last, when the only Job failed; otherwise 1.
 */
export async function run(context: CliContext, words: readonly string[], flags: RunFlags): Promise<number> {
	const [name, ...args] = words;
	if (flags.filename.length === 0 && name === undefined) {
		throw new CommandError('what is to run? Give a manifest (-f FILE) or a name with --image=IMAGE');
	}
	if (flags.filename.length > 0 && name !== undefined)
		throw new CommandError('give either -f or a name, not both');
	const running = await context.findRunning(flags.kubeconfig);
	const namespace = flags.namespace ?? running?.namespace ?? 'default';
	// Everything is read and checked before a server is started for it.
	const objects =
		name === undefined
			? await loadManifests(context, flags.filename, namespace)
			: [checkedJob(jobFromFlags(name, args, flags), namespace)];
	if (!objects.some(({ definition }) => definition === jobs))
		throw new CommandError('the manifest holds no Job to run');
	const detached = name !== undefined && !flags.stdin && running !== undefined;
	if (detached) return createOnly(context, running, objects);
	const embedded = running ? undefined : await context.startEmbedded();
	const connection = running ?? embedded;
	if (!connection) throw new CommandError('there is no server');
	const prefixed = !flags.stdin;
	return new Run(context, { connection, embedded, objects, prefixed }).toTheEnd();
}

function checkedJob(job: ReturnType<typeof jobFromFlags>, namespace: string): CheckedObject {
	const file = { name: 'the command line', text: '' };
	const document = { file, object: { ...job }, positionOf: () => ({ line: 1, column: 1 }) };
	const checked = checkDocument(document, namespace);
	if ('definition' in checked) return checked;
	throw new CommandError(checked.map(describeProblem).join('\n'));
}

async function createOnly(
	context: CliContext,
	connection: Connection,
	objects: readonly CheckedObject[],
): Promise<number> {
	for (const { definition, object } of objects) {
		await connection.client.resource(definition, object.metadata.namespace).create(object);
		context.stdout.write(`job.batch/${object.metadata.name} created\n`);
	}
	return 0;
}

interface RunOptions {
	readonly connection: Connection;
	/** The server, where it is there for this run alone. */
	readonly embedded: Embedded | undefined;
	readonly objects: readonly CheckedObject[];
	readonly prefixed: boolean;
}

/** One run, from the first object to the exit code. */
class Run {
	readonly #context: CliContext;
	readonly #options: RunOptions;
	readonly #screen: Screen;
	readonly #session: RunSession;
	readonly #made: Job[] = [];
	#interruptions = 0;
	#interrupted = Promise.withResolvers<'interrupted'>();
	#impatient = Promise.withResolvers<void>();

	constructor(context: CliContext, options: RunOptions) {
		this.#context = context;
		this.#options = options;
		this.#screen = new Screen(context);
		const { connection, prefixed } = options;
		this.#session = new RunSession({ connection, clock: context.clock, screen: this.#screen, prefixed });
	}

	async toTheEnd(): Promise<number> {
		const off = this.#context.onInterrupt(() => this.#interrupt());
		try {
			await this.#session.start();
			await this.#applyAll();
			const outcome = await Promise.race([this.#session.ended(), this.#interrupted.promise]);
			if (outcome === 'interrupted') return await this.#giveUp();
			return await this.#report(outcome);
		} finally {
			this.#session.close();
			await this.#options.embedded?.stop();
			off();
		}
	}

	#interrupt(): void {
		this.#interruptions += 1;
		if (this.#interruptions === 1) this.#interrupted.resolve('interrupted');
		else this.#impatient.resolve();
	}

	async #applyAll(): Promise<void> {
		const { connection, objects } = this.#options;
		for (const checked of objects) {
			const { object } = await applyObject(connection, checked);
			if (checked.definition !== jobs) continue;
			const job = await connection.client
				.resource(jobs, object.metadata.namespace)
				.get(object.metadata.name ?? '');
			if (isFinished(job)) {
				const name = job.metadata.name ?? '';
				throw new CommandError(`job/${name} has run already; delete it first (stint delete job ${name})`);
			}
			this.#made.push(job);
			this.#session.add(job);
		}
	}

	/** Takes back what was made; a second Ctrl-C does not wait for Pods that take their time. */
	async #giveUp(): Promise<number> {
		this.#screen.status('');
		this.#screen.say('interrupted: deleting what was started (press again not to wait)');
		const { client } = this.#options.connection;
		await Promise.all(
			this.#made.map(({ metadata: { namespace, name = '' } }) =>
				client
					.resource(jobs, namespace)
					.delete(name, { propagationPolicy: 'Background' })
					.catch((error: unknown) => {
						if (!isApiError(error, 'NotFound')) throw error;
					}),
			),
		);
		await Promise.race([this.#session.podsGone(), this.#impatient.promise]);
		return INTERRUPTED;
	}

	async #report(ended: readonly { readonly job: Job; readonly condition: JobCondition }[]): Promise<number> {
		let code = ended.length < this.#made.length ? 1 : 0;
		for (const { job, condition } of ended) {
			const took = durationOf(job);
			if (condition.type === 'Complete') {
				this.#screen.say(`job/${job.metadata.name} complete${took}`);
				continue;
			}
			const failures = await failuresOf(this.#options.connection, job);
			code = ended.length === 1 ? exitCodeOf(failures) : 1;
			const why = `${condition.reason}${condition.message ? ` (${condition.message})` : ''}`;
			this.#screen.say(`job/${job.metadata.name} failed${took}: ${why}\n${digestText(failures)}`.trimEnd());
		}
		return code;
	}
}

/** What a shell calls an end by Ctrl-C. */
const INTERRUPTED = 130;

function isFinished({ status }: Job): boolean {
	return (
		status.conditions?.some(
			({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True',
		) ?? false
	);
}

function durationOf({ status }: Job): string {
	const started = timeOf(status.startTime);
	const last = status.conditions?.at(-1)?.lastTransitionTime;
	const ended = timeOf(status.completionTime ?? last);
	return started === undefined || ended === undefined ? '' : ` after ${humanDuration(ended - started)}`;
}
