import { nodes } from '../api/core/node/definition.ts';
import type { Node } from '../api/core/node/schema.ts';
import { isApiError } from '../api/meta/api-error.ts';
import { semanticEqual } from '../api/meta/equality.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { NodeLease, RENEW_MS } from './node-lease.ts';
import { labelsOf, type Machine, statusOf } from './node-status.ts';

/** How often a Node's status is written although nothing in it has changed. */
const REPORT_MS = 5 * 60_000;
const RETRY_MS = 1000;

/** What is needed to register a Node. */
export interface NodeRegistrationOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly machine: Machine;
	readonly runtimeVersion: string;
	/** Version of this program, as the Node shows it. */
	readonly version: string;
	/** Told each time the API server has heard of the Node. */
	readonly onRegistered: () => void;
	readonly onError: (error: unknown) => void;
}

/**
 * Creates the Node or brings its status up to date, and then shows that it is alive until `signal` aborts,
 * after the kubelet: it renews a Lease every ten seconds, and writes the status when something in it is not
 * so, or was not said for five minutes. Beyond upstream, a Node that somebody deleted is created again, and
 * as long as the Lease cannot be renewed the status says all.
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

/** Has the API say of the Node what is so; `isDue`: even if that is nothing new. */
async function register(
	options: NodeRegistrationOptions,
	isDue: boolean,
): Promise<{ readonly node: Node; readonly wrote: boolean }> {
	const { client, clock, machine, recorder, runtimeVersion, version } = options;
	const target = client.resource(nodes);
	const known = await target.get(machine.name).catch((error: unknown) => {
		if (isApiError(error, 'NotFound')) return undefined;
		throw error;
	});
	const status = statusOf(machine, { now: clock.now(), before: known, runtimeVersion, version });
	if (!known) {
		const metadata = { name: machine.name, labels: labelsOf(machine) };
		return {
			node: await target.create({ apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status }),
			wrote: true,
		};
	}
	if (!isDue && semanticEqual(timeless(status), timeless(known.status))) return { node: known, wrote: false };
	const node = await target.update({ ...known, status }, 'status');
	if (!isReady(known)) {
		const message = `Node ${machine.name} status is now: NodeReady`;
		recorder.event(asSubject(node), { type: 'Normal', reason: 'NodeReady', message });
	}
	return { node, wrote: true };
}

/** The status without what changes each time it is said. */
function timeless({ conditions = [], ...status }: Node['status']): object {
	return { ...status, conditions: conditions.map((one) => ({ ...one, lastHeartbeatTime: undefined })) };
}

function isReady({ status }: Node): boolean {
	return status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;
}

/** The kubelet's Events name the Node in place of its UID, and `kubectl describe node` looks for both. */
function asSubject(node: Node): Node {
	return { ...node, metadata: { name: node.metadata.name, uid: node.metadata.name } };
}
