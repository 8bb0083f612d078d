import { jobs } from '../../api/batch/job/definition.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import { resourceNamed } from '../../api/resources.ts';
import { isFinished } from '../../plan/job/conditions.ts';
import { hinted } from '../args/not-found.ts';
import { parseInt64Flag } from '../args/parsed-flag.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from '../context.ts';
import { describeError } from '../errors.ts';
import { containersOf, type LogPartFlags, linePrefixOf, logNameOf, partOf } from '../logs/log-flags.ts';
import { logLines } from '../logs/log-stream.ts';
import { attemptOf, resumedLines } from '../logs/resumed-log.ts';
import type { LogView } from '../run/followed-pods.ts';
import { JobFollower } from '../run/job-follower.ts';
import { Outage } from '../run/reconnect.ts';
import { Screen } from '../run/terminal.ts';
import { awaitPods, waitOf, workloadSelector } from '../streams/stream-pod.ts';

/** The flags of `logs`. */
export interface LogsFlags extends CommonFlags, LogPartFlags {
	readonly follow?: boolean;
	readonly previous?: boolean;
	readonly selector?: string;
	readonly prefix?: boolean;
	/** All Pods of the Job, with prefixes, as kubectl. Without it stint prints them too, and one Pod has no prefix. */
	readonly allPods?: boolean;
	/** How long to wait for the first Pod of a Job; as text. Default 20s, as kubectl. */
	readonly podRunningTimeout?: string;
	/** Whether a log that cannot be read, of several, leaves the exit code 0. */
	readonly ignoreErrors?: boolean;
	/** Maximum number of logs that -f follows at once; as text. Default 5, as kubectl. */
	readonly maxLogRequests?: string;
}

/**
 * `stint logs POD [CONTAINER] | job/NAME | deployment/NAME | -l SELECTOR`: prints the logs of containers. The lines of a Job
 * with several Pods start with the Pod and container. Of a Deployment or its like one Pod is chosen. With -f it follows a Job until it finishes, including
 * Pods that the Job creates later. Resolves to the exit code.
 */
export async function logs(context: CliContext, words: readonly string[], given: LogsFlags): Promise<number> {
	const [word, container] = words;
	// The second word is the container. The logs of all Pods have prefixes, whatever the other flag says, as kubectl.
	const flags: LogsFlags = {
		...given,
		...(container !== undefined && { container }),
		...(given.allPods && { prefix: true }),
	};
	const part = partOf(flags);
	const waitMs = waitOf('logs', flags.podRunningTimeout ?? POD_RUNNING_TIMEOUT);
	const connection = await context.connect(flags.kubeconfig);
	const namespace = flags.namespace ?? connection.namespace;
	const found = await find(connection, word, { namespace, selector: flags.selector });
	if (found.job && flags.follow && !flags.previous && !isFinished(found.job)) {
		await followJob(context, connection, { job: found.job, flags });
		return 0;
	}
	const created = await createdPods(context, connection, { found: { ...found, namespace }, waitMs });
	const chosen = found.labelSelector === undefined || flags.allPods ? created : onePod(context, created);
	if (chosen.length === 0) context.stderr.print(`No resources found in ${namespace} namespace.\n`);
	const notify = (text: string): void => {
		if (!flags.allPods) context.stderr.print(`${text}\n`);
	};
	const sources = chosen.flatMap((pod) =>
		containersOf(pod, flags, notify).map((name) => ({ pod, container: name })),
	);
	if (flags.follow) checkConcurrency(sources.length, flags.maxLogRequests);
	// kubectl prints no prefixes by default. For several Pods of a Job we do: without them their lines cannot be
	// told apart.
	const prefix = flags.prefix ?? (found.job !== undefined && chosen.length > 1);
	const outage = new Outage(context.clock, (text) => context.stderr.print(`${text}\n`));
	const printed = printLogs(context, outage.observed(connection), {
		sources,
		part,
		flags: { ...flags, prefix },
		onError: (error) => outage.observeFailure(error),
	});
	return (await Promise.race([printed, outage.lost])) ? 0 : 1;
}

/** The logs to print. */
interface ChosenLogs {
	readonly sources: readonly Source[];
	readonly part: ReturnType<typeof partOf>;
	readonly flags: Pick<LogsFlags, 'follow' | 'previous' | 'prefix' | 'ignoreErrors'>;
	/** Called with each error of the connection before a log that is followed is requested again. */
	readonly onError: (error: unknown) => void;
}

/**
 * Prints the logs of all sources. Resolves to whether it could read all of them, or need not; rejects if it could not
 * read the only one.
 */
async function printLogs(
	{ clock, stdout, stderr }: CliContext,
	connection: Connection,
	{ sources, part, flags, onError }: ChosenLogs,
): Promise<boolean> {
	const { follow = false, previous = false, ignoreErrors = false } = flags;
	const linesOf = ({ pod, container }: Source): AsyncIterable<readonly string[]> => {
		if (!follow) return logLines(connection, pod, { ...part, container, previous });
		const attempt = attemptOf(pod, container, previous ? 'previous' : 'follow');
		return resumedLines(attempt, { connection, clock, part, onError });
	};
	let isComplete = true;
	const print = async (source: Source): Promise<void> => {
		const { pod, container } = source;
		const prefix = flags.prefix ? linePrefixOf(pod, container) : '';
		try {
			for await (const lines of linesOf(source)) {
				stdout.write(lines.map((line) => `${prefix}${line}\n`).join(''));
				await stdout.ready();
			}
		} catch (error) {
			if (sources.length === 1 && !ignoreErrors) throw error;
			isComplete &&= ignoreErrors;
			stderr.print(`${linePrefixOf(pod, container)}${describeError(error)}\n`);
		}
	};
	// Logs that are followed are read concurrently; finished ones one after the other, so that their lines do
	// not mix.
	if (follow) await Promise.all(sources.map(print));
	else for (const source of sources) await print(source);
	return isComplete;
}

const MAX_LOG_REQUESTS = '5';
const POD_RUNNING_TIMEOUT = '20s';

/** Throws a CommandError with kubectl's text if -f would follow more logs at once than the flag allows. */
function checkConcurrency(count: number, text: string = MAX_LOG_REQUESTS): void {
	const most = parseInt64Flag(text, { flag: '--max-log-requests', command: 'logs' });
	if (most < 1n) throw new CommandError('--max-log-requests must be greater than 0');
	if (count > most)
		throw new CommandError(
			`you are attempting to follow ${count} log streams, but maximum allowed concurrency is ${most}, use --max-log-requests to increase the limit`,
		);
}

/** A container whose log is printed. */
interface Source {
	readonly pod: Pod;
	readonly container: string;
}

/** Where the arguments of the command look for Pods. */
interface Where {
	readonly namespace: string;
	readonly selector: string | undefined;
}

/** The Pods whose logs are printed, and the Job or the label selector of the workload if the arguments name one. */
interface Found {
	readonly pods: readonly Pod[];
	readonly job?: Job;
	readonly labelSelector?: string;
}

/**
 * The Pods that the arguments name: of a selector, a Job, or a single Pod. Rejects with a CommandError or
 * ApiError.
 */
async function find(
	connection: Connection,
	word: string | undefined,
	{ namespace, selector }: Where,
): Promise<Found> {
	const target = connection.client.resource(pods, namespace);
	if (selector !== undefined) {
		if (word !== undefined) throw new CommandError('only a selector (-l) or a POD name is allowed');
		const { items } = await target.list({ labelSelector: selector });
		return { pods: byAge(items) };
	}
	if (word === undefined)
		throw new CommandError("expected 'logs POD [CONTAINER]', 'logs job/NAME' or 'logs -l SELECTOR'");
	const slash = word.indexOf('/');
	const name = word.slice(slash + 1);
	const definition = slash < 0 ? pods : resourceNamed(word.slice(0, slash));
	if (definition === jobs) return findJob(connection, name, namespace);
	if (definition?.scale) {
		const labelSelector = await workloadSelector(connection, { definition, name, namespace });
		return { labelSelector, pods: byAge((await target.list({ labelSelector })).items) };
	}
	if (definition !== pods)
		throw new CommandError(`cannot get the logs from ${word}: only Pods, Jobs and Deployments have logs`);
	try {
		return { pods: [await target.get(name)] };
	} catch (error) {
		throw await hinted(error, connection, { definition: pods, name, namespace });
	}
}

/**
 * The Pods of a Job, by its selector: owner references cannot be selected by a list. Those of a finished Job may have been
 * deleted, which is an error: an empty output would look like an empty log.
 */
async function findJob(connection: Connection, name: string, namespace: string): Promise<Found> {
	const job = await connection.client
		.resource(jobs, namespace)
		.get(name)
		.catch(async (error: unknown) => {
			throw await hinted(error, connection, { definition: jobs, name, namespace });
		});
	const labelSelector = labelSelectorText(job.spec.selector);
	const { items } = await connection.client.resource(pods, namespace).list({ labelSelector });
	if (items.length === 0 && isFinished(job))
		throw new CommandError(`job/${name} has finished, and its Pods were deleted with their logs`);
	return { job, pods: byAge(items) };
}

/**
 * The Pods that were found. For a Job or workload without one, those that it creates within the time; rejects with kubectl's error if
 * there are none (upstream: GetFirstPod in polymorphichelpers).
 */
async function createdPods(
	{ clock }: Pick<CliContext, 'clock'>,
	{ client }: Connection,
	{ found, waitMs }: { readonly found: Found & { readonly namespace: string }; readonly waitMs: number },
): Promise<readonly Pod[]> {
	const { job, pods: known, namespace } = found;
	const labelSelector = job ? labelSelectorText(job.spec.selector) : found.labelSelector;
	if (labelSelector === undefined || known.length > 0) return known;
	const target = client.resource(pods, namespace);
	const timeout = new AbortController();
	const timer = clock.setTimer(waitMs, () => timeout.abort());
	const first = await awaitPods(target, {
		labelSelector,
		pick: ([pod]) => pod,
		signal: timeout.signal,
	}).finally(() => timer.cancel());
	if (!first) throw new CommandError('timed out waiting for the condition');
	return byAge((await target.list({ labelSelector })).items);
}

/**
 * The Pod of a workload whose logs are printed: as kubectl, one that is ready, and of those the oldest. A note says how many
 * there are.
 */
function onePod({ stderr }: CliContext, created: readonly Pod[]): readonly Pod[] {
	const isReady = ({ status }: Pod): boolean => isConditionTrue(status.conditions, 'Ready');
	const chosen = created.find(isReady) ?? created[0];
	if (!chosen) return [];
	if (created.length > 1) stderr.print(`Found ${created.length} pods, using pod/${chosen.metadata.name}\n`);
	return [chosen];
}

/** Oldest Pod first; by name if created in the same second, so that the order is stable. */
function byAge(items: readonly Pod[]): readonly Pod[] {
	const key = ({ metadata }: Pod): string => `${metadata.creationTimestamp} ${metadata.name}`;
	return items.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/**
 * Follows all Pods of a Job, including those that it creates later, until the Job finishes. kubectl follows
 * only the Pods that exist when it starts. Uses the follower of `stint run`, so both print the same.
 */
async function followJob(
	context: CliContext,
	connection: Connection,
	{ job, flags }: { readonly job: Job; readonly flags: LogsFlags },
): Promise<void> {
	// A Job of a single Pod prints what the Pod prints: its output may be read by a program.
	const alone = job.spec.completions === 1 && job.spec.parallelism === 1;
	const prefixed = flags.prefix ?? !alone;
	const view: LogView = {
		part: partOf(flags),
		sourceOf: (pod, container) => (prefixed ? logNameOf(pod, container) : undefined),
		wants: (pod, container) => containersOf(pod, flags).includes(container),
	};
	const outage = new Outage(context.clock, (text) => context.stderr.print(`${text}\n`));
	const follower = new JobFollower(job, {
		connection: outage.observed(connection),
		clock: context.clock,
		screen: new Screen(context),
		view,
		created: false,
		signal: new AbortController().signal,
		onError: (error) => outage.observeFailure(error),
		onProgress: () => outage.observeProgress(),
	});
	await Promise.race([follower.ended, outage.lost]);
}
