import type { PersistentVolumeClaim } from '../api/core/persistentvolumeclaim/schema.ts';
import type { Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import type { Informer } from '../client/informer.ts';
import { unlessOvertaken } from '../client/outcomes.ts';
import { StorageWriter } from '../client/storage-writer.ts';
import type { NodeVolumes } from '../plan/placement/pod-volumes.ts';
import { SELECTED_NODE } from '../plan/storage/annotations.ts';
import { volumeBindingPatch } from '../plan/storage/bindings.ts';
import { isFullyBound } from '../plan/storage/match-volume.ts';

/** Time that an attempt waits for its claims to be bound (upstream: the bindTimeoutSeconds of VolumeBinding). */
const BIND_TIMEOUT_MS = 600_000;

/** What {@link VolumeBindings.bind} does for one Pod. */
export interface VolumeBindingRequest {
	readonly nodeName: string;
	readonly volumes: NodeVolumes;
	/** Whether the Pod still needs the node: if not, the wait ends. */
	isWanted(): boolean;
}

/**
 * Binds the claims of a Pod that wait for their first consumer, before the Pod itself is bound (upstream: PreBind
 * of the plugin VolumeBinding): reserves volumes, asks provisioners for others, and waits until the binder has
 * bound all claims.
 */
export class VolumeBindings {
	readonly #clock: Clock;
	readonly #claims: Informer<PersistentVolumeClaim>;
	readonly #writer: StorageWriter;
	#change = Promise.withResolvers<void>();
	#isStopped = false;

	constructor(
		client: Client,
		{ clock, claims }: { readonly clock: Clock; readonly claims: Informer<PersistentVolumeClaim> },
	) {
		this.#clock = clock;
		this.#claims = claims;
		this.#writer = new StorageWriter(client);
	}

	/** Tells the waits that a claim or a Pod has changed. */
	changed(): void {
		this.#change.resolve();
		this.#change = Promise.withResolvers<void>();
	}

	/** Ends all waits. */
	stop(): void {
		this.#isStopped = true;
		this.changed();
	}

	/**
	 * Resolves to true once all claims are bound. Resolves to false if another writer was faster, the choice of
	 * the node was undone, the Pod no longer needs the node, the scheduler stops, or after {@link BIND_TIMEOUT_MS}.
	 */
	async bind(request: VolumeBindingRequest): Promise<boolean> {
		const { nodeName, volumes } = request;
		for (const { claim, volume } of volumes.reservations) {
			const written = this.#writer.volume(volume, volumeBindingPatch(volume, claim));
			if (!(await unlessOvertaken(written))) return false;
		}
		for (const claim of volumes.provisions) {
			const isSelected = claim.metadata.annotations?.[SELECTED_NODE] === nodeName;
			const patch = isSelected ? undefined : { metadata: { annotations: { [SELECTED_NODE]: nodeName } } };
			const written = await unlessOvertaken(this.#writer.claim(claim, patch));
			if (!written) return false;
			if (!(await this.#claims.reached(written.metadata.resourceVersion))) return false;
		}
		return this.#untilBound(request);
	}

	async #untilBound({ nodeName, volumes, isWanted }: VolumeBindingRequest): Promise<boolean> {
		const reserved = volumes.reservations.map(({ claim }) => claim);
		const end = this.#clock.monotonic() + BIND_TIMEOUT_MS;
		const timer = this.#clock.setTimer(BIND_TIMEOUT_MS, () => this.changed());
		try {
			while (!this.#isStopped && isWanted() && this.#clock.monotonic() < end) {
				const change = this.#change.promise;
				const provisioned = volumes.provisions.map((claim) => this.#latest(claim));
				if (provisioned.some((claim) => claim?.metadata.annotations?.[SELECTED_NODE] !== nodeName))
					return false;
				const all = [...provisioned, ...reserved.map((claim) => this.#latest(claim))];
				if (all.some((claim) => !claim)) return false;
				// The node agent reads the phase, which the binder writes last.
				if (all.every((claim) => claim && isFullyBound(claim) && claim.status.phase === 'Bound')) return true;
				await change;
			}
			return false;
		} finally {
			timer.cancel();
		}
	}

	#latest({
		metadata: { namespace = '', name = '', uid },
	}: PersistentVolumeClaim): PersistentVolumeClaim | undefined {
		const shown = this.#claims.get(namespace, name);
		return shown?.metadata.uid === uid ? shown : undefined;
	}
}
