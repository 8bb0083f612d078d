import { apiVersionOf, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { KubeObject, OwnerReference } from '../../api/meta/object-meta.ts';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../../api/meta/validate-meta.ts';
import { jsonEqual } from '../../api/schema/equality.ts';
import { DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import { nextTurn } from '../../base/turn.ts';
import type { Client, DeletionRequest, ResourceClient } from '../../client/client.ts';
import { Controller, type ControllerContext, watch } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { BY_OWNER, BY_UID } from '../../client/informers.ts';
import { isOvertaken, unlessGone } from '../../client/outcomes.ts';
import {
	type GarbagePlan,
	type GarbageSnapshot,
	isWaitingForDependents,
	type OwnerState,
	planGarbage,
} from '../../plan/garbage/plan-garbage.ts';

/**
 * A resource that takes part in garbage collection, and its informer, which must have the indexes BY_OWNER and
 * BY_UID.
 */
export interface CollectedResource {
	readonly definition: ResourceDefinition;
	readonly informer: Informer<KubeObject>;
}

/** The dependencies of the garbage collector. */
export interface GarbageCollectorOptions extends ControllerContext {
	readonly client: Client;
	readonly resources: readonly CollectedResource[];
	readonly recorder: Pick<EventRecorder, 'event'>;
}

/**
 * The garbage collector: deletes objects whose owners no longer exist, and completes deletions with the
 * propagation policies Foreground and Orphan. plan/garbage decides; this class maps changes to keys, looks up
 * owners, and writes. Upstream: pkg/controller/garbagecollector/garbagecollector.go. Upstream keeps a graph of
 * all objects; here the indexes of the informers answer the same questions, so there is no second copy that can
 * become stale.
 *
 * 1. An owner is the object with the kind, name and UID of the reference, in the namespace of the dependent, or
 *    cluster-scoped. An object that has only the same UID is not the owner.
 * 2. An owner that no informer shows is read from the API server before a dependent is deleted.
 * 3. An object whose owner references have changed since the plan was made is not deleted.
 * 4. Only kinds and metadata are read from the informers: the deletion of a Job with 10,000 finished Pods must
 *    not decode all of them.
 */
export class GarbageCollector {
	readonly #options: GarbageCollectorOptions;
	readonly #controller: Controller;

	constructor(options: GarbageCollectorOptions) {
		this.#options = options;
		this.#controller = new Controller(
			{
				name: 'garbage_collector_attempt_to_delete',
				watches: options.resources.map((resource) =>
					watch(resource.informer, (object, old) => this.#keysAfter(resource, object, old)),
				),
				workers: 20,
				backoff: { baseMs: 5, capMs: 1_000_000 },
				reconcile: (key) => this.#collect(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	*#keysAfter(
		resource: CollectedResource,
		object: KubeObject | undefined,
		old: KubeObject | undefined,
	): IterableIterator<string> {
		if (old && object?.metadata.uid !== old.metadata.uid) {
			yield* this.#keysOf(this.#dependentsOf(old));
			yield* this.#keysOf(this.#waitingOwnersOf(old));
		}
		if (!object) return;
		const { metadata } = object;
		// By content: over a connection each event brings a new list, whether or not it has changed.
		if (!jsonEqual(metadata.ownerReferences, old?.metadata.ownerReferences)) {
			if (old) yield* this.#keysOf(this.#waitingOwnersOf(old));
			if (this.#mayMissOwner(object, old)) yield keyIn(resource, object);
		}
		if (!metadata.deletionTimestamp || !metadata.finalizers?.some(isPropagationFinalizer)) return;
		yield keyIn(resource, object);
		// Dependents without blockOwnerDeletion are deleted too, without waiting for the blocking ones.
		if (isWaitingForDependents(object) && !(old && isWaitingForDependents(old))) {
			yield* this.#keysOf(this.#dependentsOf(object));
		}
	}

	/** Whether one of the object's owners may no longer exist. Records an Event about one in another namespace. */
	#mayMissOwner(object: KubeObject, old: KubeObject | undefined): boolean {
		const { ownerReferences = [], namespace = '' } = object.metadata;
		const absent = ownerReferences.filter((reference) => !this.#isSafelyPresent(reference, namespace));
		if (absent.length === 0) return false;
		const before = new Set(old?.metadata.ownerReferences?.map(({ uid }) => uid));
		const elsewhere = absent.find((reference) => {
			const place = before.has(reference.uid) ? '' : this.#withUid(reference)?.metadata.namespace;
			return place && place !== namespace;
		});
		if (elsewhere) this.#options.recorder.event(object, invalidNamespace(elsewhere, namespace));
		return true;
	}

	#keysOf(objects: readonly KubeObject[]): readonly string[] {
		return objects.flatMap((object) => {
			const resource = this.#resource(object.apiVersion, object.kind);
			return resource ? [keyIn(resource, object)] : [];
		});
	}

	#waitingOwnersOf({ metadata }: KubeObject): readonly KubeObject[] {
		const owners = metadata.ownerReferences?.flatMap((reference) => this.#withUid(reference) ?? []) ?? [];
		return owners.filter(isWaitingForDependents);
	}

	async #collect(key: string): Promise<Outcome> {
		const [apiVersion = '', kind = '', place = ''] = key.split('|');
		const resource = this.#resource(apiVersion, kind);
		const { namespace, name } = splitKey(place);
		const object = resource?.informer.metadataOf(namespace, name);
		if (!resource || !object) return DONE;
		const owners = await this.#ownersOf(object, namespace);
		const plan = planGarbage({ object, owners, dependents: this.#dependentsOf(object) });
		try {
			await this.#apply(object, plan, this.#options.client.resource(resource.definition, namespace));
		} catch (error) {
			// The object was deleted, replaced or changed meanwhile; the event of that change queues the key again.
			if (!isOvertaken(error)) throw error;
		}
		return DONE;
	}

	async #apply(object: KubeObject, plan: GarbagePlan, target: ResourceClient<KubeObject>): Promise<void> {
		const { name = '', uid } = object.metadata;
		switch (plan.kind) {
			case 'keep':
				return;
			case 'delete':
				await this.#delete(target, plan.unblock ? await unblocked(target, object) : object, plan.propagation);
				return;
			case 'dropOwners':
				await target.patch(name, 'strategic', withoutOwners(object, plan.uids));
				return;
			case 'await':
				for (const key of this.#keysOf(plan.dependents)) this.#controller.add(key);
				return;
			case 'orphan':
				await Promise.all(plan.dependents.map((dependent) => this.#disown(dependent, uid ?? '')));
				await target.patch(name, 'merge', withoutFinalizer(object, ORPHAN_FINALIZER));
				return;
			case 'release':
				await target.patch(name, 'merge', withoutFinalizer(object, FOREGROUND_FINALIZER));
		}
	}

	/**
	 * Deletes the object unless its owner references have changed; the event of that change queues the key again.
	 */
	async #delete(
		target: ResourceClient<KubeObject>,
		{ metadata }: KubeObject,
		propagationPolicy: DeletionRequest['propagationPolicy'],
	): Promise<void> {
		const { name = '', uid = '', resourceVersion = '', ownerReferences = [] } = metadata;
		try {
			await target.delete(name, { propagationPolicy, preconditions: { uid, resourceVersion } });
		} catch (error) {
			if (!isApiError(error, 'Conflict')) throw error;
			// An object that is updated all the time must still be deleted, so only changed owner references prevent
			// it.
			const live = await target.get(name);
			if (!jsonEqual(live.metadata.ownerReferences ?? [], ownerReferences)) return;
			await target.delete(name, { propagationPolicy, preconditions: { uid } });
		}
	}

	/** Removes the owner reference from a dependent. A dependent that is gone or was replaced needs nothing. */
	async #disown(dependent: KubeObject, ownerUid: string): Promise<void> {
		const resource = this.#resource(dependent.apiVersion, dependent.kind);
		if (!resource) return;
		const { namespace, name = '' } = dependent.metadata;
		const target = this.#options.client.resource(resource.definition, namespace);
		await unlessGone(target.patch(name, 'strategic', withoutOwners(dependent, [ownerUid])));
	}

	#dependentsOf({ metadata }: KubeObject): readonly KubeObject[] {
		const { uid = '' } = metadata;
		return this.#options.resources.flatMap(({ informer }) => informer.indexedMetadata(BY_OWNER, uid));
	}

	#resource(apiVersion: string, kind: string): CollectedResource | undefined {
		return this.#options.resources.find(
			({ definition }) => definition.kind === kind && apiVersionOf(definition) === apiVersion,
		);
	}

	/**
	 * The owner in the cache of its informer; undefined if it is not there, which does not prove that it is gone.
	 */
	#cached(reference: OwnerReference, namespace: string): KubeObject | undefined {
		const resource = this.#resource(reference.apiVersion, reference.kind);
		const place = resource?.definition.namespaced ? namespace : '';
		const owner = resource?.informer.metadataOf(place, reference.name);
		return owner?.metadata.uid === reference.uid ? owner : undefined;
	}

	/** The object with the owner's kind and UID, in any namespace. */
	#withUid({ apiVersion, kind, uid }: OwnerReference): KubeObject | undefined {
		return this.#resource(apiVersion, kind)?.informer.indexedMetadata(BY_UID, uid)[0];
	}

	/** Whether the owner exists and does not wait for its dependents: then the dependent needs no check. */
	#isSafelyPresent(reference: OwnerReference, namespace: string): boolean {
		const owner = this.#cached(reference, namespace);
		return owner !== undefined && !isWaitingForDependents(owner);
	}

	/** The states of all owners, read in groups with an event loop turn between them; see OWNERS_PER_TURN. */
	async #ownersOf({ metadata }: KubeObject, namespace: string): Promise<readonly Owner[]> {
		const { ownerReferences = [] } = metadata;
		const owners: Owner[] = [];
		while (owners.length < ownerReferences.length) {
			if (owners.length > 0) await nextTurn();
			const group = ownerReferences.slice(owners.length, owners.length + OWNERS_PER_TURN);
			const states = group.map(async (reference) => ({
				reference,
				state: await this.#stateOf(reference, namespace),
			}));
			for (const owner of await Promise.all(states)) owners.push(owner);
		}
		return owners;
	}

	async #stateOf(reference: OwnerReference, namespace: string): Promise<OwnerState> {
		const resource = this.#resource(reference.apiVersion, reference.kind);
		if (!resource) return 'unknown';
		// A cluster-scoped object cannot name the namespace of its owner; the reference is invalid.
		if (resource.definition.namespaced && namespace === '') return 'unknown';
		const owner = this.#cached(reference, namespace) ?? (await this.#lookUp(resource, reference, namespace));
		if (!owner || owner.metadata.uid !== reference.uid) return 'gone';
		return isWaitingForDependents(owner) ? 'waiting' : 'present';
	}

	#lookUp(
		{ definition }: CollectedResource,
		{ name }: OwnerReference,
		namespace: string,
	): Promise<KubeObject | undefined> {
		return unlessGone(this.#options.client.resource(definition, namespace).get(name));
	}
}

type Owner = GarbageSnapshot['owners'][number];

/**
 * Owners looked up per event loop turn. An object can have 4,000 owners; all in one turn would block it for 100
 * ms.
 */
const OWNERS_PER_TURN = 100;

function keyIn({ definition }: CollectedResource, object: KubeObject): string {
	return `${apiVersionOf(definition)}|${definition.kind}|${keyOfObject(object)}`;
}

function isPropagationFinalizer(finalizer: string): boolean {
	return finalizer === ORPHAN_FINALIZER || finalizer === FOREGROUND_FINALIZER;
}

/**
 * Sets blockOwnerDeletion to false in all owner references and resolves to the patched object. Two owners that
 * wait for each other's dependents would otherwise block each other forever.
 */
function unblocked(target: ResourceClient<KubeObject>, { metadata }: KubeObject): Promise<KubeObject> {
	const { name = '', uid, ownerReferences = [] } = metadata;
	const blocked = ownerReferences.filter(({ blockOwnerDeletion }) => blockOwnerDeletion);
	const patch = blocked.map((reference) => ({ ...reference, blockOwnerDeletion: false }));
	return target.patch(name, 'strategic', { metadata: { uid, ownerReferences: patch } });
}

function invalidNamespace(reference: OwnerReference, namespace: string): EventText {
	const { apiVersion, kind, name, uid } = reference;
	const owner = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
	const message = `ownerRef ${owner} does not exist in namespace "${namespace}"`;
	return { type: 'Warning', reason: 'OwnerRefInvalidNamespace', message };
}

/**
 * A strategic patch that removes these owner references; the UID keeps it from another object of the same name.
 */
function withoutOwners({ metadata }: KubeObject, uids: readonly string[]): unknown {
	const ownerReferences = uids.map((uid) => ({ $patch: 'delete', uid }));
	return { metadata: { uid: metadata.uid, ownerReferences } };
}

/** A merge patch that fails with a conflict if the finalizers changed since `object` was read. */
function withoutFinalizer({ metadata }: KubeObject, finalizer: string): unknown {
	const finalizers = (metadata.finalizers ?? []).filter((other) => other !== finalizer);
	return { metadata: { uid: metadata.uid, resourceVersion: metadata.resourceVersion, finalizers } };
}
