import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim/definition.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { ApiError, isApiError } from '../../api/errors/api-error.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { Controller, type ControllerContext, NO_KEYS, watch } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOf, keyOfObject, splitKey } from '../../client/informer.ts';
import { type EphemeralClaim, planEphemeralClaims } from '../../plan/storage/ephemeral-claim.ts';

/** The dependencies of the ephemeral-volume controller. */
export interface EphemeralVolumeControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly claims: Informer<PersistentVolumeClaim>;
	readonly pods: Informer<Pod>;
}

/** Time after which a pass is repeated whose claim exists, though the cache does not show it. */
const NOT_SHOWN_MS = 100;

/**
 * The ephemeral-volume controller: creates the claims of the generic ephemeral volumes of Pods. The garbage
 * collector deletes them with the Pod, their owner. Upstream: pkg/controller/volume/ephemeral/controller.go.
 */
export class EphemeralVolumeController {
	readonly #options: EphemeralVolumeControllerOptions;
	readonly #controller: Controller;

	constructor(options: EphemeralVolumeControllerOptions) {
		const { claims, pods } = options;
		this.#options = options;
		this.#controller = new Controller(
			{
				name: 'ephemeral_volume',
				watches: [
					watch(pods, (pod) => (pod && hasEphemeral(pod) ? [keyOfObject(pod)] : NO_KEYS)),
					watch(claims, (claim, old) => (claim || !old ? NO_KEYS : ownersOf(old))),
				],
				workers: 4,
				backoff: { baseMs: 5, capMs: 1_000_000 },
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
		const { claims, pods, recorder } = this.#options;
		const { namespace, name } = splitKey(key);
		const pod = pods.get(namespace, name);
		if (!pod) return DONE;
		for (const each of planEphemeralClaims(pod, (claimName) => claims.get(namespace, claimName))) {
			const why = each.kind === 'conflict' ? each.message : await this.#create(each);
			if (why === undefined) continue;
			if (why === 'exists') return again(NOT_SHOWN_MS);
			const message = `ephemeral volume ${each.volumeName}: ${why}`;
			recorder.event(pod, { type: 'Warning', reason: 'FailedBinding', message });
			throw new Error(`pod ${key}, ${message}`);
		}
		return DONE;
	}

	/** Resolves to why the claim was not created, to `exists` if there is one of its name, or to undefined. */
	async #create({ claim }: Extract<EphemeralClaim, { kind: 'create' }>): Promise<string | undefined> {
		const { namespace, name } = claim.metadata;
		try {
			await this.#options.client.resource(persistentVolumeClaims, namespace).create(claim);
			return undefined;
		} catch (error) {
			// The cache does not show the claim yet. The next pass finds out whose it is.
			if (isApiError(error, 'AlreadyExists')) return 'exists';
			if (!(error instanceof ApiError)) throw error;
			return `create PVC ${name}: ${error.message}`;
		}
	}
}

function hasEphemeral({ metadata, spec }: Pod): boolean {
	return !metadata.deletionTimestamp && (spec.volumes?.some(({ ephemeral }) => ephemeral) ?? false);
}

/** The Pods that own the claim: if it was deleted while its Pod lives, it is created again. */
function ownersOf({ metadata }: PersistentVolumeClaim): readonly string[] {
	const { namespace = '', ownerReferences = [] } = metadata;
	return ownerReferences.filter(({ kind }) => kind === 'Pod').map(({ name }) => keyOf(namespace, name));
}
