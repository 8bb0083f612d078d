import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { Controller, type ControllerContext, ownKey, watch } from '../../client/controller.ts';
import { type Informer, splitKey } from '../../client/informer.ts';
import { unlessOvertaken } from '../../client/outcomes.ts';
import { StorageWriter } from '../../client/storage-writer.ts';
import { planClaimProtection, planVolumeProtection, withUnused } from '../../plan/storage/protection.ts';
import { claimKeysOf, indexPodsByClaim, podsOfClaim } from './claim-pods.ts';

/** The dependencies of {@link ClaimProtection}. */
export interface ClaimProtectionOptions extends ControllerContext {
	readonly client: Client;
	readonly claims: Informer<PersistentVolumeClaim>;
	readonly pods: Informer<Pod>;
}

/**
 * The pvc-protection controller: keeps the finalizer of a claim while Pods use it, and its condition Unused.
 * Upstream: pkg/controller/volume/pvcprotection/pvc_protection_controller.go.
 *
 * 1. Before the finalizer of a deleted claim is removed, the Pods of its namespace are read from the API server:
 *    the cache may lack a Pod that was just bound.
 */
export class ClaimProtection {
	readonly #options: ClaimProtectionOptions;
	readonly #writer: StorageWriter;
	readonly #controller: Controller;

	constructor(options: ClaimProtectionOptions) {
		const { claims, pods, client } = options;
		this.#options = options;
		this.#writer = new StorageWriter(client);
		indexPodsByClaim(pods);
		this.#controller = new Controller(
			{
				name: 'pvcprotection',
				watches: [
					watch(pods, (pod, old) => [...(pod ? claimKeysOf(pod) : []), ...(old ? claimKeysOf(old) : [])]),
					watch(claims, ownKey),
				],
				workers: 4,
				backoff: { baseMs: 5, capMs: 60_000 },
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { claims, pods, client, clock } = this.#options;
		const { namespace, name } = splitKey(key);
		const claim = claims.get(namespace, name);
		if (!claim) return DONE;
		let plan = planClaimProtection(claim, podsOfClaim(pods, key));
		if (plan.finalizers && claim.metadata.deletionTimestamp) {
			const { items } = await client.resource(podResource, namespace).list();
			plan = planClaimProtection(claim, items);
		}
		const { finalizers, unused } = plan;
		if (finalizers) await unlessOvertaken(this.#writer.claim(claim, { metadata: { finalizers } }));
		else if (unused) {
			const status = withUnused(claim, unused, clock.now());
			await unlessOvertaken(this.#writer.claimStatus(claim, { status }));
		}
		return DONE;
	}
}

/** The dependencies of {@link VolumeProtection}. */
export interface VolumeProtectionOptions extends ControllerContext {
	readonly client: Client;
	readonly volumes: Informer<PersistentVolume>;
}

/**
 * The pv-protection controller: keeps the finalizer of a volume while the volume is bound to a claim. Upstream:
 * pkg/controller/volume/pvprotection/pv_protection_controller.go.
 */
export class VolumeProtection {
	readonly #controller: Controller;

	constructor(options: VolumeProtectionOptions) {
		const { volumes, client } = options;
		const writer = new StorageWriter(client);
		this.#controller = new Controller(
			{
				name: 'pvprotection',
				watches: [watch(volumes, ownKey)],
				workers: 1,
				backoff: { baseMs: 5, capMs: 60_000 },
				reconcile: async (name) => {
					const volume = volumes.get('', name);
					const { finalizers } = volume ? planVolumeProtection(volume) : {};
					if (volume && finalizers)
						await unlessOvertaken(writer.volume(volume, { metadata: { finalizers } }));
					return DONE;
				},
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informer is stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}
}
