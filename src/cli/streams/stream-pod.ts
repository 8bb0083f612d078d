import { jobs } from '../../api/batch/job/definition.ts';
import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Container, Pod } from '../../api/core/pod/schema.ts';
import { services } from '../../api/core/service/definition.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import type { ResourceClient } from '../../client/client.ts';
import { followWatch } from '../../client/follow-watch.ts';
import { hinted } from '../args/not-found.ts';
import { parseDurationFlag } from '../args/parsed-flag.ts';
import { parseTargets } from '../args/resource-args.ts';
import { type CliContext, CommandError, type Connection } from '../context.ts';
import { containersOf } from '../logs/log-flags.ts';

/** Which Pod a command means, and how long to wait for one that a Job will create. */
export interface WantedPod {
	/** `POD`, `pod/NAME`, or such as `job/NAME`, `deploy/NAME` and `svc/NAME`. */
	readonly word: string;
	readonly namespace: string;
	readonly waitMs: number;
}

/**
 * The Pod that an argument means: itself, or one of a Job, workload or Service that runs, or is about to. Rejects with a CommandError or
 * ApiError. Upstream: AttachablePodForObjectFn in kubectl's polymorphichelpers.
 */
export async function streamedPod(
	{ clock }: Pick<CliContext, 'clock'>,
	connection: Connection,
	{ word, namespace, waitMs }: WantedPod,
): Promise<Pod> {
	const [target] = word.includes('/') ? parseTargets([word]) : [{ definition: pods, name: word }];
	const { definition, name = '' } = target ?? {};
	if (definition === jobs || definition === services || definition?.scale) {
		const labelSelector = await podSelector(connection, { definition, name, namespace });
		const timeout = new AbortController();
		const timer = clock.setTimer(waitMs, () => timeout.abort());
		const target = connection.client.resource(pods, namespace);
		const found = await awaitPods(target, { labelSelector, pick: bestOf, signal: timeout.signal }).finally(
			() => timer.cancel(),
		);
		if (found) return found;
		const awaited = definition === jobs ? `a running Pod of job/${name}` : 'the condition';
		throw new CommandError(`timed out waiting for ${awaited}`);
	}
	if (definition !== pods)
		throw new CommandError(`cannot attach to *${definition?.kind}: selector not found`);
	try {
		return await connection.client.resource(pods, namespace).get(name);
	} catch (error) {
		throw await hinted(error, connection, { definition: pods, name, namespace });
	}
}

interface NamedOwner {
	readonly definition: ResourceDefinition;
	readonly name: string;
	readonly namespace: string;
}

/** The label selector of the Pods of a Job, workload or Service. Rejects with a CommandError or ApiError. */
async function podSelector(connection: Connection, owner: NamedOwner): Promise<string> {
	const { definition, name, namespace } = owner;
	const { client } = connection;
	if (definition === services) return serviceSelector(await client.resource(services, namespace).get(name));
	if (definition !== jobs) return workloadSelector(connection, owner);
	try {
		return labelSelectorText((await client.resource(jobs, namespace).get(name)).spec.selector);
	} catch (error) {
		throw await hinted(error, connection, owner);
	}
}

/** The label selector of the Pods of a Service. Throws a CommandError if it has none. */
function serviceSelector({ metadata, spec: { selector = {} } }: Service): string {
	if (Object.keys(selector).length === 0)
		throw new CommandError(`invalid service '${metadata.name}': Service is defined without a selector`);
	return labelSelectorText({ matchLabels: selector });
}

/** The label selector of the Pods of a workload. Rejects with an ApiError if it does not exist. */
export async function workloadSelector(
	connection: Connection,
	{ definition, name, namespace }: NamedOwner,
): Promise<string> {
	const object = await connection.client.resource(definition, namespace).get(name);
	return definition.scale?.selectorOf(object) ?? '';
}

/**
 * What `pick` finds among the Pods that a selector matches, or among those that change later; undefined if `signal` aborts
 * before. Rejects with an ApiError.
 */
export async function awaitPods(
	target: ResourceClient<Pod>,
	{
		labelSelector,
		pick,
		signal,
	}: {
		readonly labelSelector: string;
		readonly pick: (items: readonly Pod[]) => Pod | undefined;
		readonly signal: AbortSignal;
	},
): Promise<Pod | undefined> {
	const { items, metadata } = await target.list({ labelSelector });
	let found = pick(items);
	if (found) return found;
	const resourceVersion = metadata?.resourceVersion;
	await followWatch<Pod>({
		open: (sink, stop) =>
			target.watch({ labelSelector, ...(resourceVersion !== undefined && { resourceVersion }) }, sink, {
				signal: stop,
			}),
		events: (batch) => {
			found = pick(batch.filter(({ type }) => type !== 'DELETED').map(({ object }) => object));
			return found !== undefined;
		},
		signal,
	});
	return found;
}

/** The Pod to connect to: one that runs before one that does not yet, the oldest of each. */
function bestOf(items: readonly Pod[]): Pod | undefined {
	const active = items.filter((pod) => !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined);
	const rank = ({ status, metadata }: Pod): string =>
		`${status.phase === 'Running' ? 0 : 1} ${metadata.creationTimestamp} ${metadata.name}`;
	return active.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))[0];
}

/** The container to connect to, with kubectl's notice if it is one of several. Throws a CommandError if there is none. */
export function streamedContainer(
	pod: Pod,
	named: string | undefined,
	notify: (text: string) => void,
): Container {
	const { metadata, spec } = pod;
	const [name] = containersOf(pod, named === undefined ? {} : { container: named }, notify);
	const all: readonly Container[] = [
		...spec.containers,
		...(spec.initContainers ?? []),
		...(spec.ephemeralContainers ?? []),
	];
	const found = all.find((container) => container.name === name);
	if (found) return found;
	throw new CommandError(`container ${name} not found in pod ${metadata.name}`);
}

/** The milliseconds of `--pod-running-timeout` of a command. Throws a CommandError. */
export function waitOf(command: string, text = '1m0s'): number {
	const ms = parseDurationFlag(text, { flag: '--pod-running-timeout', command });
	if (ms <= 0) throw new CommandError('--pod-running-timeout must be higher than zero');
	return ms;
}
