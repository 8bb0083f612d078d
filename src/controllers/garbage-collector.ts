import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject, OwnerReference } from '../api/meta/object-meta.ts';
import { apiVersionOf, type ResourceDefinition } from '../api/meta/resource.ts';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../api/meta/validate-meta.ts';
import type { Clock } from '../base/clock.ts';
import { DONE, type Outcome, ReconcileLoop } from '../base/reconcile-loop.ts';
import type { Client, ResourceClient } from '../client/client.ts';
import { type Informer, keyOf, splitKey } from '../client/informer.ts';
import { BY_OWNER, BY_UID } from '../client/informers.ts';
import {
	type GarbagePlan,
	isWaitingForDependents,
	type OwnerState,
	planGarbage,
} from '../plan/garbage/plan-garbage.ts';

/** A resource that the collector looks after, with its informer (which has the two common indexes). */
export interface CollectedResource {
	readonly definition: ResourceDefinition;
	readonly informer: Informer<KubeObject>;
}

/** What the garbage collector is made of. */
export interface GarbageCollectorOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly resources: readonly CollectedResource[];
	readonly onError: (key: string, error: unknown) => void;
}

/**
 * Deletes what its owners left behind, and sees deletions in the foreground and with orphans through.
 * The rules are in plan/garbage; an owner that no informer shows is looked up live before anything is
 * deleted on its account, and owners of kinds that are not served here count as present.
 */
export class GarbageCollector {
	readonly #options: GarbageCollectorOptions;
	readonly #loop: ReconcileLoop;

	constructor(options: GarbageCollectorOptions) {
		this.#options = options;
		this.#loop = new ReconcileLoop({
			name: 'garbage-collector',
			clock: options.clock,
			workers: 20,
			backoff: { baseMs: 5, capMs: 1_000_000 },
			reconcile: (key) => this.#collect(key),
			onError: options.onError,
		});
	}

	/** Collects until `signal` aborts. */
	async run(signal: AbortSignal): Promise<void> {
		const { resources } = this.#options;
		void Promise.all(resources.map(({ informer }) => informer.synced)).then(() => {
			for (const resource of resources) {
				resource.informer.subscribe((object, old) => this.#observe(resource, object, old));
			}
		});
		await this.#loop.run(signal);
	}

	#observe(resource: CollectedResource, object: KubeObject | undefined, old: KubeObject | undefined): void {
		if (old && object?.metadata.uid !== old.metadata.uid) {
			this.#addAll(this.#dependentsOf(old));
			this.#addWaitingOwners(old);
		}
		if (!object) return;
		const { metadata } = object;
		if (metadata.ownerReferences !== old?.metadata.ownerReferences) {
			if (old) this.#addWaitingOwners(old);
			if (metadata.ownerReferences?.some((owner) => !this.#isSafelyPresent(owner)))
				this.#add(resource, object);
		}
		if (metadata.deletionTimestamp && metadata.finalizers?.some(isPropagationFinalizer))
			this.#add(resource, object);
	}

	#add({ definition }: CollectedResource, { metadata }: KubeObject): void {
		this.#loop.add(
			`${apiVersionOf(definition)}|${definition.kind}|${keyOf(metadata.namespace ?? '', metadata.name ?? '')}`,
		);
	}

	#addAll(objects: readonly KubeObject[]): void {
		for (const object of objects) {
			const resource = this.#resource(object.apiVersion, object.kind);
			if (resource) this.#add(resource, object);
		}
	}

	#addWaitingOwners({ metadata }: KubeObject): void {
		for (const reference of metadata.ownerReferences ?? []) {
			const owner = this.#known(reference);
			if (owner && isWaitingForDependents(owner)) this.#addAll([owner]);
		}
	}

	async #collect(key: string): Promise<Outcome> {
		const [apiVersion = '', kind = '', place = ''] = key.split('|');
		const resource = this.#resource(apiVersion, kind);
		const { namespace, name } = splitKey(place);
		const object = resource?.informer.get(namespace, name);
		if (!resource || !object) return DONE;
		const owners = await Promise.all(
			(object.metadata.ownerReferences ?? []).map(async (reference) => ({
				reference,
				state: await this.#stateOf(reference, namespace),
			})),
		);
		const plan = planGarbage({ object, owners, dependents: this.#dependentsOf(object) });
		try {
			await this.#apply(object, plan, this.#options.client.resource(resource.definition, namespace));
		} catch (error) {
			// Gone, replaced or changed meanwhile: the change itself brings the key back.
			if (!OVERTAKEN.some((reason) => isApiError(error, reason))) throw error;
		}
		return DONE;
	}

	async #apply(object: KubeObject, plan: GarbagePlan, target: ResourceClient<KubeObject>): Promise<void> {
		const { name = '', uid } = object.metadata;
		switch (plan.kind) {
			case 'keep':
				return;
			case 'delete':
				await target.delete(name, {
					propagationPolicy: plan.propagation,
					...(uid && { preconditions: { uid } }),
				});
				return;
			case 'dropOwners':
				await target.patch(name, 'strategic', withoutOwners(object, plan.uids));
				return;
			case 'await':
				this.#addAll(plan.dependents);
				return;
			case 'orphan':
				await Promise.all(plan.dependents.map((dependent) => this.#disown(dependent, uid ?? '')));
				await target.patch(name, 'merge', withoutFinalizer(object, ORPHAN_FINALIZER));
				return;
			case 'release':
				await target.patch(name, 'merge', withoutFinalizer(object, FOREGROUND_FINALIZER));
		}
	}

	async #disown(dependent: KubeObject, ownerUid: string): Promise<void> {
		const resource = this.#resource(dependent.apiVersion, dependent.kind);
		if (!resource) return;
		const { namespace, name = '' } = dependent.metadata;
		const target = this.#options.client.resource(resource.definition, namespace);
		try {
			await target.patch(name, 'strategic', withoutOwners(dependent, [ownerUid]));
		} catch (error) {
			if (!isApiError(error, 'NotFound') && !isApiError(error, 'Invalid')) throw error;
		}
	}

	#dependentsOf({ metadata }: KubeObject): readonly KubeObject[] {
		return this.#options.resources.flatMap(({ informer }) => informer.indexed(BY_OWNER, metadata.uid ?? ''));
	}

	#resource(apiVersion: string, kind: string): CollectedResource | undefined {
		return this.#options.resources.find(
			({ definition }) => definition.kind === kind && apiVersionOf(definition) === apiVersion,
		);
	}

	#known(reference: OwnerReference): KubeObject | undefined {
		return this.#resource(reference.apiVersion, reference.kind)?.informer.indexed(BY_UID, reference.uid)[0];
	}

	#isSafelyPresent(reference: OwnerReference): boolean {
		const owner = this.#known(reference);
		return owner !== undefined && !isWaitingForDependents(owner);
	}

	async #stateOf(reference: OwnerReference, namespace: string): Promise<OwnerState> {
		const resource = this.#resource(reference.apiVersion, reference.kind);
		if (!resource) return 'present';
		const owner = this.#known(reference) ?? (await this.#lookUp(resource, reference, namespace));
		if (!owner || owner.metadata.uid !== reference.uid) return 'gone';
		return isWaitingForDependents(owner) ? 'waiting' : 'present';
	}

	async #lookUp(
		{ definition }: CollectedResource,
		{ name }: OwnerReference,
		namespace: string,
	): Promise<KubeObject | undefined> {
		try {
			return await this.#options.client.resource(definition, namespace).get(name);
		} catch (error) {
			if (isApiError(error, 'NotFound')) return undefined;
			throw error;
		}
	}
}

/** The object is gone, has changed, or another one has its name (a patch of its UID is then invalid). */
const OVERTAKEN = ['NotFound', 'Conflict', 'Invalid'] as const;

function isPropagationFinalizer(finalizer: string): boolean {
	return finalizer === ORPHAN_FINALIZER || finalizer === FOREGROUND_FINALIZER;
}

/** A strategic patch that takes these owners off; bound to the UID so that it never meets a namesake. */
function withoutOwners({ metadata }: KubeObject, uids: readonly string[]): unknown {
	const ownerReferences = uids.map((uid) => ({ $patch: 'delete', uid }));
	return { metadata: { uid: metadata.uid, ownerReferences } };
}

/** A merge patch that fails with a conflict if the finalizers changed since `object` was read. */
function withoutFinalizer({ metadata }: KubeObject, finalizer: string): unknown {
	const finalizers = (metadata.finalizers ?? []).filter((other) => other !== finalizer);
	return { metadata: { uid: metadata.uid, resourceVersion: metadata.resourceVersion, finalizers } };
}
