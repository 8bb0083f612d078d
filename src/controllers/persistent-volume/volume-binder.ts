import type { EventText } from '../../api/core/event/event-text.ts';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim/definition.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { StorageClass } from '../../api/storage/storageclass/schema.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import { runTogether } from '../../base/queue/run-together.ts';
import type { Client } from '../../client/client.ts';
import {
	Controller,
	type ControllerContext,
	type Keys,
	NO_KEYS,
	OVERTAKEN_MS,
	ownKey,
	watch,
} from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOf, keyOfObject, splitKey } from '../../client/informer.ts';
import { isGone, unlessGone } from '../../client/outcomes.ts';
import { StorageWriter } from '../../client/storage-writer.ts';
import {
	boundStatusPatch,
	claimBindingPatch,
	provisionerPatch,
	unbindingPatch,
	unboundStatusPatch,
	volumeBindingPatch,
} from '../../plan/storage/bindings.ts';
import { type ClaimPlan, planClaim } from '../../plan/storage/plan-claim.ts';
import { planVolume, type Reclaim } from '../../plan/storage/plan-volume.ts';
import { claimKeysOf, indexPodsByClaim, podsOfClaim } from './claim-pods.ts';

/** The dependencies of the binder. */
export interface VolumeBinderOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly claims: Informer<PersistentVolumeClaim>;
	readonly volumes: Informer<PersistentVolume>;
	readonly classes: Informer<StorageClass>;
	readonly pods: Informer<Pod>;
}

/** The index of claims by the volume that they name; empty for those that name none. */
const BY_VOLUME = 'volume';

/** The index of volumes by the key of the claim that they refer to. */
const BY_REFERENCE = 'reference';

const NO_VALUES: readonly string[] = [];

/**
 * The persistent-volume binder: binds claims to volumes and releases volumes whose claims are gone. plan/storage
 * decides; this class maps changes to keys, and writes. Upstream:
 * pkg/controller/volume/persistentvolume/pv_controller.go.
 *
 * 1. A claim and a volume are bound by four writes. Each pass begins with the state that it finds, so that a
 *    binding that was interrupted is completed.
 * 2. A volume is released only after the API server has said that its claim is gone: the cache may be behind.
 */
export class VolumeBinder {
	readonly #options: VolumeBinderOptions;
	readonly #writer: StorageWriter;
	readonly #claims: Controller;
	readonly #volumes: Controller;

	constructor(options: VolumeBinderOptions) {
		const { claims, volumes, classes, pods, client } = options;
		this.#options = options;
		this.#writer = new StorageWriter(client);
		indexPodsByClaim(pods);
		claims.addIndexes({ [BY_VOLUME]: ({ spec }) => [spec.volumeName ?? ''] });
		volumes.addIndexes({
			[BY_REFERENCE]: ({ spec: { claimRef } }) =>
				claimRef ? [keyOf(claimRef.namespace ?? '', claimRef.name ?? '')] : NO_VALUES,
		});
		const backoff = { baseMs: 5, capMs: 60_000 };
		this.#claims = new Controller(
			{
				name: 'claims',
				watches: [
					watch(classes, (one) => (one ? this.#unboundClaims() : NO_KEYS)),
					watch(volumes, (volume, old) => this.#claimsOf(volume, old)),
					watch(pods, (pod, old) => this.#claimsOfPod(pod, old)),
					watch(claims, ownKey),
				],
				workers: 4,
				backoff,
				reconcile: (key) => this.#reconcileClaim(key),
			},
			options,
		);
		this.#volumes = new Controller(
			{
				name: 'volumes',
				watches: [watch(claims, (claim, old) => this.#volumesOf(claim, old)), watch(volumes, ownKey)],
				workers: 4,
				backoff,
				reconcile: (name) => this.#reconcileVolume(name),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	async run(signal: AbortSignal): Promise<void> {
		await runTogether([(stop) => this.#claims.run(stop), (stop) => this.#volumes.run(stop)], signal);
	}

	/** The claims that a new or changed StorageClass may help. */
	#unboundClaims(): Keys {
		return this.#options.claims.indexed(BY_VOLUME, '').map(keyOfObject);
	}

	/** The claim that the volume refers to, and if it is available all claims without a volume. */
	#claimsOf(volume: PersistentVolume | undefined, old: PersistentVolume | undefined): Keys {
		const named = [volume?.spec.claimRef, old?.spec.claimRef].flatMap((reference) =>
			reference ? [keyOf(reference.namespace ?? '', reference.name ?? '')] : [],
		);
		const { claims } = this.#options;
		const naming = claims.indexed(BY_VOLUME, (volume ?? old)?.metadata.name ?? '');
		const isFree = volume?.status.phase === 'Available';
		return [...named, ...naming.map(keyOfObject), ...(isFree ? this.#unboundClaims() : NO_KEYS)];
	}

	/** Claims that wait for their first consumer tell in an Event which Pod they wait for. */
	#claimsOfPod(pod: Pod | undefined, old: Pod | undefined): Keys {
		return pod && !old && !pod.spec.nodeName ? claimKeysOf(pod) : NO_KEYS;
	}

	#volumesOf(claim: PersistentVolumeClaim | undefined, old: PersistentVolumeClaim | undefined): Keys {
		const { namespace = '', name = '' } = (claim ?? old)?.metadata ?? {};
		const referring = this.#options.volumes.indexed(BY_REFERENCE, keyOf(namespace, name));
		return referring.map(({ metadata }) => metadata.name ?? '');
	}

	async #reconcileClaim(key: string): Promise<Outcome> {
		const { claims, volumes, classes, pods } = this.#options;
		const { namespace, name } = splitKey(key);
		const claim = claims.get(namespace, name);
		if (!claim) return DONE;
		const plan = planClaim({
			claim,
			volumes: volumes.all(),
			classes: [...classes.all()],
			volume: (volumeName) => volumes.get('', volumeName),
			waitingPods: podsOfClaim(pods, key)
				.filter((pod) => !pod.spec.nodeName && !hasEnded(pod))
				.map(({ metadata }) => metadata.name ?? ''),
		});
		return unlessConflict(this.#applyToClaim(claim, plan));
	}

	async #applyToClaim(claim: PersistentVolumeClaim, plan: ClaimPlan): Promise<void> {
		switch (plan.kind) {
			case 'bind':
				return this.#bind(claim, plan.volume);
			case 'wait':
				if (plan.event) this.#record(claim, plan.event);
				await this.#writer.claimStatus(claim, unboundStatusPatch(claim, 'Pending'));
				return;
			case 'set class':
				await this.#writer.claim(claim, { spec: { storageClassName: plan.className } });
				return;
			case 'provision':
				await this.#handOver(claim, plan);
				return;
			case 'report':
				this.#record(claim, plan.event);
				return;
			case 'lose':
				if (claim.status.phase === 'Lost') return;
				this.#record(await this.#writer.claimStatus(claim, unboundStatusPatch(claim, 'Lost')), plan.event);
		}
	}

	/** In this order, because a volume that refers to the claim cannot be given to another one. */
	async #bind(given: PersistentVolumeClaim, found: PersistentVolume): Promise<void> {
		let volume = await this.#writer.volume(found, volumeBindingPatch(found, given));
		volume = await this.#setPhase(volume, 'Bound');
		const claim = await this.#writer.claim(given, claimBindingPatch(given, volume));
		await this.#writer.claimStatus(claim, boundStatusPatch(claim, volume));
	}

	/** Asks the provisioner for a volume. */
	async #handOver(
		claim: PersistentVolumeClaim,
		{ provisioner, event }: Extract<ClaimPlan, { kind: 'provision' }>,
	): Promise<void> {
		this.#record(await this.#writer.claim(claim, provisionerPatch(claim, provisioner)), event);
	}

	async #reconcileVolume(name: string): Promise<Outcome> {
		const volume = this.#options.volumes.get('', name);
		if (!volume) return DONE;
		return unlessConflict(this.#claimOf(volume).then((claim) => this.#applyToVolume(volume, claim)));
	}

	/** The claim with the name and the UID of the reference: if the cache lacks it, the API server is asked. */
	async #claimOf({ spec, status }: PersistentVolume): Promise<PersistentVolumeClaim | undefined> {
		const { claimRef } = spec;
		if (!claimRef?.uid) return undefined;
		const { namespace = '', name = '', uid } = claimRef;
		const known = this.#options.claims.get(namespace, name);
		if (known?.metadata.uid === uid) return known;
		if (!known && (status.phase === 'Released' || status.phase === 'Failed')) return undefined;
		const target = this.#options.client.resource(persistentVolumeClaims, namespace);
		const found = await unlessGone(target.get(name));
		return found?.metadata.uid === uid ? found : undefined;
	}

	async #applyToVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): Promise<void> {
		const plan = planVolume(volume, claim);
		switch (plan.kind) {
			case 'none':
				return;
			case 'set phase':
				await this.#setPhase(volume, plan.phase);
				return;
			case 'bind claim':
				if (claim) this.#claims.add(keyOfObject(claim));
				return;
			case 'report mismatch':
				this.#record(volume, plan.volumeEvent);
				if (claim) this.#record(claim, plan.claimEvent);
				return;
			case 'unbind':
				await this.#setPhase(await this.#writer.volume(volume, unbindingPatch(volume)), 'Available');
				return;
			case 'release':
				await this.#release(volume, plan.reclaim);
		}
	}

	async #release(volume: PersistentVolume, reclaim: Reclaim): Promise<void> {
		const { phase } = volume.status;
		const released = phase === 'Failed' ? volume : await this.#setPhase(volume, 'Released');
		if (reclaim.kind === 'leave' || phase === 'Failed') return;
		this.#record(await this.#setPhase(released, 'Failed', reclaim.event.message), reclaim.event);
	}

	#setPhase(volume: PersistentVolume, phase: string, message?: string): Promise<PersistentVolume> {
		if (volume.status.phase === phase) return Promise.resolve(volume);
		return this.#writer.volumeStatus(volume, { status: { phase, message: message ?? null } });
	}

	#record(object: PersistentVolume | PersistentVolumeClaim, event: EventText): void {
		this.#options.recorder.event(object, event);
	}
}

/**
 * Waits for the writes of a pass. One that is overtaken is repeated from the newer state; if its object is gone,
 * the deletion queues what has to be done.
 */
async function unlessConflict(writes: Promise<void>): Promise<Outcome> {
	try {
		await writes;
	} catch (error) {
		if (isApiError(error, 'Conflict')) return again(OVERTAKEN_MS);
		if (!isGone(error)) throw error;
	}
	return DONE;
}
