import type { Pod } from '../api/core/pod/schema.ts';

/**
 * The nominated Pods by node: Pods for which preemption is making room on that node (upstream: nominator). A
 * nomination counts from the moment of the decision, before the informer shows it, so that no other Pod takes
 * the room.
 */
export class Nominations {
	readonly #byNode = new Map<string, Map<string, Pod>>();
	readonly #nodeOf = new Map<string, string>();

	/** The Pods nominated to the node. */
	on(nodeName: string): readonly Pod[] {
		const pods = this.#byNode.get(nodeName);
		return pods ? [...pods.values()] : NONE;
	}

	/** Nominates the Pod to the node, and replaces its previous nomination. */
	put(pod: Pod, nodeName: string): void {
		const { uid = '' } = pod.metadata;
		this.remove(uid);
		const pods = this.#byNode.get(nodeName) ?? new Map<string, Pod>();
		this.#byNode.set(nodeName, pods.set(uid, pod));
		this.#nodeOf.set(uid, nodeName);
	}

	/** Removes the nomination of the Pod with this UID; returns whether it had one. */
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
	 * Updates the nomination of an unbound Pod from the informer; returns whether a nomination was removed. One
	 * that the API server has never shown is kept, because its status write is in progress.
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
