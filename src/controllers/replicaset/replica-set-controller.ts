/**
 * The controller of ReplicaSets, and, as another instance, of ReplicationControllers (upstream: pkg/controller/replicaset
 * and pkg/controller/replication): maps changes to keys, gathers the snapshot, and applies the plan of plan/replicaset.
 *
 * Read this file, then apply-replica-plan.ts (order of writes) and replica-writer.ts (single writes).
 *
 * 1. A pass ends only when the informers show everything that it wrote, and no longer show any Pod that it has deleted. So
 *    no pass decides from a cache older than the writes of its predecessor. Upstream tracks the creations and deletions
 *    that it expects to see (controller expectations) instead; these time out after 5 minutes, this does not.
 * 2. If the response to a Pod creation was lost, the Pod may exist or not. The next pass over the owner first lists the
 *    Pods of the namespace and waits until the informer has reached that resourceVersion.
 */

import { pods as podResource } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { matches } from '../../api/meta/selector.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { subjectsIn } from '../../client/conflicts.ts';
import {
	Controller,
	type ControllerContext,
	type Keys,
	NO_KEYS,
	ownKey,
	watch,
} from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { BY_OWNER, type Informers } from '../../client/informers.ts';
import type { Indexes } from '../../client/object-indexes.ts';
import { readyConditionOf } from '../../plan/replicaset/availability.ts';
import { planReplicas, type ReplicaSnapshot } from '../../plan/replicaset/plan-replicas.ts';
import type { ReplicaOwner } from '../../plan/replicaset/replica-owner.ts';
import { applyReplicaPlan } from './apply-replica-plan.ts';
import type { ReplicaKind } from './replica-kinds.ts';
import { ReplicaWriter } from './replica-writer.ts';

/** The dependencies of a {@link ReplicaSetController}. */
export interface ReplicaSetControllerOptions<T extends KubeObject> extends ControllerContext {
	readonly client: Client;
	readonly informers: Pick<Informers, 'of'>;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** The name of the queue in the metrics. */
	readonly name: string;
	readonly kind: ReplicaKind<T>;
}

/** Pods without a controller, by namespace. */
const UNCONTROLLED = 'replicaset-controller/uncontrolled';

/** Owners by namespace. */
const BY_NAMESPACE = 'replicaset-controller/namespace';

const POD_INDEXES: Indexes<Pod> = {
	[UNCONTROLLED]: (pod) => (controllerOf(pod) ? [] : [pod.metadata.namespace ?? '']),
};

const OWNER_INDEXES: Indexes<KubeObject> = {
	[BY_NAMESPACE]: ({ metadata }) => [metadata.namespace ?? ''],
};

/** Reconciles the objects of one kind in all namespaces; see the header of this file. */
export class ReplicaSetController<T extends KubeObject> {
	readonly #options: ReplicaSetControllerOptions<T>;
	readonly #owners: Informer<T>;
	readonly #pods: Informer<Pod>;
	readonly #controller: Controller;
	/** The keys whose last pass may have created Pods without receiving the response. */
	readonly #uncertain = new Set<string>();

	constructor(options: ReplicaSetControllerOptions<T>) {
		const { informers, kind, name } = options;
		this.#options = options;
		this.#owners = informers.of(kind.definition, OWNER_INDEXES);
		this.#pods = informers.of(podResource, POD_INDEXES);
		this.#controller = new Controller(
			{
				name,
				watches: [watch(this.#owners, ownKey), watch(this.#pods, (pod, old) => this.#keysAfterPod(pod, old))],
				// A pass spends most of its time waiting for writes, in which it must not block other owners.
				workers: 64,
				backoff: { baseMs: 5, capMs: 60_000 },
				subjects: subjectsIn(this.#owners),
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers, which their owner runs, are stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { client, recorder, kind, clock } = this.#options;
		const { namespace, name } = splitKey(key);
		if (this.#uncertain.has(key) && !(await this.#waitForAllPods(key, namespace))) return DONE;
		const object = this.#owners.get(namespace, name);
		if (!object) return DONE;
		const owner = kind.ownerOf(object);
		const writer = new ReplicaWriter(object, { client, recorder, kind });
		const plan = planReplicas(this.#snapshot(object, owner));
		try {
			await applyReplicaPlan({ owner, plan, writer, now: () => clock.now() });
		} catch (error) {
			if (isApiError(error, 'NotFound') && !this.#isSame(object)) return DONE;
			throw error;
		} finally {
			await this.#waitForInformers(writer);
			if (writer.mayHaveCreated) this.#uncertain.add(key);
		}
		return plan.recheckAfterMs === undefined ? DONE : again(plan.recheckAfterMs);
	}

	#snapshot(object: T, owner: ReplicaOwner): ReplicaSnapshot {
		const pods = this.#podsOf(object);
		const orphans = this.#pods.indexed(UNCONTROLLED, object.metadata.namespace ?? '');
		// Only a choice of Pods to delete depends on those of the siblings, which may be many.
		const mayShrink = pods.length + orphans.length > owner.replicas;
		const related = mayShrink ? this.#podsOfSiblings(object) : [];
		return { owner, pods, orphans, related, now: this.#options.clock.now() };
	}

	/** The Pods whose controller is the object. */
	#podsOf({ metadata: { uid = '' } }: KubeObject): readonly Pod[] {
		return this.#pods.indexed(BY_OWNER, uid).filter((pod) => controllerOf(pod)?.uid === uid);
	}

	/** The Pods of all objects of this kind with the same controller, for the order of deletions. */
	#podsOfSiblings(object: T): readonly Pod[] {
		const controller = controllerOf(object);
		if (!controller) return [];
		return this.#owners
			.indexed(BY_OWNER, controller.uid)
			.filter((sibling) => controllerOf(sibling)?.uid === controller.uid)
			.flatMap((sibling) => this.#podsOf(sibling));
	}

	/** Resolves when the informers show all writes and none of the deleted Pods, or when they are stopped. */
	async #waitForInformers({ ownerVersion, podVersion, gone }: ReplicaWriter<T>): Promise<void> {
		const left = gone.map((pod) => this.#pods.left(pod));
		await Promise.all([this.#owners.reached(ownerVersion), this.#pods.reached(podVersion), ...left]);
	}

	/** Waits until the informer shows every Pod that the API server has now; false if it was stopped before that. */
	async #waitForAllPods(key: string, namespace: string): Promise<boolean> {
		const { items } = await this.#options.client.resource(podResource, namespace).list();
		const latest = items.reduce((most, { metadata }) => Math.max(most, Number(metadata.resourceVersion)), 0);
		const isShown = await this.#pods.reached(String(latest));
		if (isShown) this.#uncertain.delete(key);
		return isShown;
	}

	#keysAfterPod(pod: Pod | undefined, old: Pod | undefined): Keys {
		// The kind first: most Pods are those of Jobs, with many changes.
		if (!this.#mayOwn(pod) && !this.#mayOwn(old)) return NO_KEYS;
		if (pod && old && !concernsReplicas(pod, old)) return NO_KEYS;
		const owners = [old, pod].flatMap((each) => (each ? [this.#ownerOf(each)] : []));
		const adopters = pod && !controllerOf(pod) ? this.#adoptersOf(pod) : [];
		return [...new Set([...owners, ...adopters].flatMap((owner) => (owner ? [keyOfObject(owner)] : [])))];
	}

	/** Whether the Pod has no controller, or one of this kind. */
	#mayOwn(pod: Pod | undefined): boolean {
		const kind = pod && controllerOf(pod)?.kind;
		return pod !== undefined && (kind === undefined || kind === this.#options.kind.definition.kind);
	}

	/** The object that controls the Pod, if it exists. One of that name with another UID is not its controller. */
	#ownerOf(pod: Pod): T | undefined {
		const reference = controllerOf(pod);
		if (reference?.kind !== this.#options.kind.definition.kind) return undefined;
		const object = this.#owners.get(pod.metadata.namespace ?? '', reference.name);
		return object?.metadata.uid === reference.uid ? object : undefined;
	}

	/** The objects whose selector matches a Pod without a controller: one of them may adopt it. */
	#adoptersOf({ metadata: { namespace = '', labels } }: Pod): readonly T[] {
		const { ownerOf } = this.#options.kind;
		return this.#owners
			.indexed(BY_NAMESPACE, namespace)
			.filter((object) => matches(ownerOf(object).selector, labels));
	}

	#isSame({ metadata }: KubeObject): boolean {
		return this.#owners.get(metadata.namespace ?? '', metadata.name ?? '')?.metadata.uid === metadata.uid;
	}
}

/**
 * Whether the change of a Pod can matter to its ReplicaSet. Upstream makes a pass for every change; most of them (the
 * binding, the ids and times of containers) cause no act and no other status.
 */
function concernsReplicas(pod: Pod, old: Pod): boolean {
	return (
		pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
		pod.status.phase !== old.status.phase ||
		!semanticEqual(readyConditionOf(pod), readyConditionOf(old)) ||
		!semanticEqual(pod.metadata.labels, old.metadata.labels) ||
		!semanticEqual(pod.metadata.ownerReferences, old.metadata.ownerReferences)
	);
}
