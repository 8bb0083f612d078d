import type { Pod } from '../api/core/pod/schema.ts';

/**
 * The Pods that wait for room on the node that preemption chose for them, by that node. A nomination counts
 * from the moment it is decided, before the informer shows it.
 */
export class Nominations {
	readonly #byNode = new Map<string, Map<string, Pod>>();
	readonly #nodeOf = new Map<string, string>();

	/** The Pods that are nominated to the node. */
	on(nodeName: string): readonly Pod[] {
		const pods = this.#byNode.get(nodeName);
		return pods ? [...pods.values()] : NONE;
	}

	/** Nominates the Pod to the node, and to no other. */
	put(pod: Pod, nodeName: string): void {
		const { uid = '' } = pod.metadata;
		this.remove(uid);
		const pods = this.#byNode.get(nodeName) ?? new Map<string, Pod>();
		this.#byNode.set(nodeName, pods.set(uid, pod));
		this.#nodeOf.set(uid, nodeName);
	}

	/** Ends the nomination of the Pod with this UID; returns whether it had one. */
	remove(uid: string): boolean {
		const nodeName = this.#nodeOf.get(uid);
		if (nodeName === undefined) return false;
		this.#nodeOf.delete(uid);
		const pods = this.#byNode.get(nodeName);
		pods?.delete(uid);
		if (pods?.size === 0) this.#byNode.delete(nodeName);
		return true;
	}

	/**
	 * Follows what the informer shows of a Pod that has no node; returns whether a nomination ended. One that
	 * the API has never shown is kept: the write of it is under way.
	 */
	observe(pod: Pod, old: Pod | undefined): boolean {
		const { uid = '' } = pod.metadata;
		const shown = pod.status.nominatedNodeName;
		const before = old?.metadata.uid === uid ? old.status.nominatedNodeName : undefined;
		const nodeName = shown || (before ? undefined : this.#nodeOf.get(uid));
		if (!nodeName) return this.remove(uid);
		this.put(pod, nodeName);
		return false;
	}
}

const NONE: readonly Pod[] = [];
