import type { IsolationTrait, PodNetworkTrait } from '../../api/contract/runtime-traits.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import { nodes } from '../../api/core/node/definition.ts';
import type { Node } from '../../api/core/node/schema.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { unlessGone } from '../../client/outcomes.ts';
import type { ListedImage } from '../../plan/node/node-images.ts';
import {
	isolationEvents,
	type Machine,
	nodeLabelsOf,
	nodeStatusOf,
	pressureEvents,
} from '../../plan/node/node-status.ts';
import { NodeLease, RENEW_MS } from './node-lease.ts';

/** How often an unchanged status is written: the kubelet's default of `nodeStatusReportFrequency`. */
const REPORT_MS = 5 * 60_000;
/** Delay before a failed read or write of the Node is retried. */
const RETRY_MS = 1000;

/** The components and settings of {@link keepRegistered}. */
export interface NodeRegistrationOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly machine: Machine;
	readonly runtimeVersion: string;
	/** Whose network Pods have; undefined: the runtime does not say. */
	readonly podNetwork: PodNetworkTrait | undefined;
	/** How containers are isolated; undefined: the runtime does not say. */
	readonly isolation: IsolationTrait | undefined;
	/** Version of this program, a part of the Node's `kubeletVersion`. */
	readonly version: string;
	/** The conditions about pressure that are True. */
	readonly pressures: () => ReadonlySet<string>;
	/** The images of the Node; undefined if they are unknown, or if the runtime manages none. */
	readonly images: () => Promise<readonly ListedImage[] | undefined>;
	/** Called after each successful read or write of the Node: the API has it. */
	readonly onRegistered: () => void;
	readonly onError: (error: unknown) => void;
}

/**
 * Creates the Node or updates its status, then reports that it is alive until `signal` aborts. Like the kubelet, it
 * renews a Lease every ten seconds, and writes the status when it has changed, or five minutes after the last write.
 *
 * Beyond upstream: a Node that was deleted is created again, since the agent would otherwise run without one; and
 * while the Lease cannot be renewed, the status is written every time, since it is then the only heartbeat.
 */
export async function keepRegistered(options: NodeRegistrationOptions, signal: AbortSignal): Promise<void> {
	const { clock, onRegistered, onError } = options;
	const lease = new NodeLease(options);
	let reported = Number.NEGATIVE_INFINITY;
	while (!signal.aborted) {
		try {
			const { node, wrote } = await register(options, clock.monotonic() - reported >= REPORT_MS);
			if (wrote) reported = clock.monotonic();
			onRegistered();
			await lease.renew(node).catch((error: unknown) => {
				onError(error);
				reported = Number.NEGATIVE_INFINITY;
			});
			await sleep(clock, RENEW_MS, signal);
		} catch (error) {
			onError(error);
			await sleep(clock, RETRY_MS, signal);
		}
	}
}

/** Creates the Node, or writes its status if it has changed or `isDue` is true. Rejects with an ApiError. */
async function register(
	options: NodeRegistrationOptions,
	isDue: boolean,
): Promise<{ readonly node: Node; readonly wrote: boolean }> {
	const { client, clock, machine, recorder, runtimeVersion, version } = options;
	const target = client.resource(nodes);
	const known = await unlessGone(target.get(machine.name));
	const pressures = options.pressures();
	const inputs = {
		now: clock.now(),
		before: known,
		runtimeVersion,
		version,
		podNetwork: options.podNetwork,
		isolation: options.isolation,
	};
	const status = nodeStatusOf(machine, { ...inputs, pressures, images: await options.images() });
	if (!known) {
		const metadata = { name: machine.name, labels: nodeLabelsOf(machine) };
		const node = await target.create({ apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status });
		recordAll(options, isolationEvents(undefined, node));
		return { node, wrote: true };
	}
	if (!isDue && semanticEqual(timeless(status), timeless(known.status))) return { node: known, wrote: false };
	const node = await target.update({ ...known, status }, 'status');
	if (!isConditionTrue(known.status.conditions, 'Ready')) {
		const message = `Node ${machine.name} status is now: NodeReady`;
		recorder.event(nodeSubject(machine.name), { type: 'Normal', reason: 'NodeReady', message });
	}
	recordAll(options, [
		...pressureEvents(machine.name, { before: known, pressures }),
		...isolationEvents(known, node),
	]);
	return { node, wrote: true };
}

function recordAll(
	{ recorder, machine }: Pick<NodeRegistrationOptions, 'recorder' | 'machine'>,
	events: readonly EventText[],
): void {
	for (const event of events) recorder.event(nodeSubject(machine.name), event);
}

/** The status without its heartbeat times, which change with every write. */
function timeless({ conditions = [], ...status }: Node['status']): object {
	return { ...status, conditions: conditions.map((one) => ({ ...one, lastHeartbeatTime: undefined })) };
}

/** The kubelet's Events have the Node's name as the UID, and `kubectl describe node` selects by either. */
export function nodeSubject(name: string): Node {
	return { apiVersion: 'v1', kind: 'Node', metadata: { name, uid: name }, spec: {}, status: {} };
}
