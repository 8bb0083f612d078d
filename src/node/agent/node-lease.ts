import { leases, NODE_LEASE_NAMESPACE } from '../../api/coordination/lease/definition.ts';
import type { Lease } from '../../api/coordination/lease/schema.ts';
import type { Node } from '../../api/core/node/schema.ts';
import { formatMicroTime } from '../../api/meta/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { unlessGone, unlessOvertaken } from '../../client/outcomes.ts';

/** `leaseDurationSeconds`: the kubelet's default of `nodeLeaseDurationSeconds`. */
const LEASE_SECONDS = 40;

/** How often a node agent renews its Lease: a quarter of its duration, as the kubelet does. */
export const RENEW_MS = 10_000;

/** The client and clock of a {@link NodeLease}. */
export interface NodeLeaseOptions {
	readonly client: Client;
	readonly clock: Clock;
}

/**
 * The Lease in `kube-node-lease` by which a node agent reports that it is alive. The node lifecycle controller
 * watches it. A renewal is much smaller than a write of the Node's status.
 */
export class NodeLease {
	readonly #options: NodeLeaseOptions;
	#latest: Lease | undefined;

	constructor(options: NodeLeaseOptions) {
		this.#options = options;
	}

	/**
	 * Renews the Lease of `node`, or creates it with `node` as its owner, so that the garbage collector deletes it
	 * with the Node. Rejects with an ApiError.
	 */
	async renew(node: Node): Promise<void> {
		const target = this.#options.client.resource(leases, NODE_LEASE_NAMESPACE);
		const latest = this.#latest;
		this.#latest = undefined;
		// The Lease may have been deleted with an earlier Node of this name, or written by another client: read it.
		if (latest) this.#latest = await unlessOvertaken(target.update(this.#renewed(latest, node)));
		if (this.#latest) return;
		const known = await unlessGone(target.get(node.metadata.name ?? ''));
		this.#latest = known
			? await target.update(this.#renewed(known, node))
			: await target.create(this.#renewed(undefined, node));
	}

	#renewed(known: Lease | undefined, { metadata: { name = '', uid = '' } }: Node): Lease {
		const owner = { apiVersion: 'v1', kind: 'Node', name, uid };
		return {
			apiVersion: 'coordination.k8s.io/v1',
			kind: 'Lease',
			metadata: { ...known?.metadata, name, namespace: NODE_LEASE_NAMESPACE, ownerReferences: [owner] },
			spec: {
				holderIdentity: name,
				...known?.spec,
				leaseDurationSeconds: LEASE_SECONDS,
				renewTime: formatMicroTime(this.#options.clock.now()),
			},
		};
	}
}
