import type { Pod } from '../api/core/pod/schema.ts';
import { type Amounts, add, podRequests, subtract } from '../plan/placement/requests.ts';

/**
 * What the Pods bound to each node have asked for together, kept by adding and subtracting as Pods come
 * and go, so that placing one Pod costs the same with ten thousand others as with none.
 *
 * A binding counts from the moment it is decided (`assume`), before the informer shows it.
 */
export class NodeLoad {
	readonly #byNode = new Map<string, Amounts>();
	readonly #counted = new Map<string, { readonly nodeName: string; readonly amounts: Amounts }>();

	/** What is asked for on the node by all Pods that count. */
	requested(nodeName: string): Amounts {
		return this.#byNode.get(nodeName) ?? {};
	}

	/** Counts `pod` on `nodeName` from now on, until {@link observe} or {@link forget} says otherwise. */
	assume(pod: Pod, nodeName: string): void {
		this.#count(pod.metadata.uid ?? '', nodeName, podRequests(pod));
	}

	/** Takes in what an informer tells of a Pod: it counts while it is bound and has not ended. */
	observe(pod: Pod): void {
		const { nodeName } = pod.spec;
		if (!nodeName) return;
		const ended = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
		if (ended) this.forget(pod);
		else this.#count(pod.metadata.uid ?? '', nodeName, podRequests(pod));
	}

	/** No longer counts the Pod; tells whether it did. */
	forget(pod: Pod): boolean {
		const uid = pod.metadata.uid ?? '';
		const counted = this.#counted.get(uid);
		if (!counted) return false;
		this.#counted.delete(uid);
		this.#byNode.set(counted.nodeName, subtract(this.requested(counted.nodeName), counted.amounts));
		return true;
	}

	#count(uid: string, nodeName: string, amounts: Amounts): void {
		const counted = this.#counted.get(uid);
		if (counted?.nodeName === nodeName && counted.amounts === amounts) return;
		if (counted)
			this.#byNode.set(counted.nodeName, subtract(this.requested(counted.nodeName), counted.amounts));
		this.#counted.set(uid, { nodeName, amounts });
		this.#byNode.set(nodeName, add(this.requested(nodeName), amounts));
	}
}
