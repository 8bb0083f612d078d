import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { compareQuantities } from '../../api/meta/quantity.ts';
import { DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import { Controller, type ControllerContext, type Keys, NO_KEYS, watch } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { WAITS_FOR_EXPANSION, wantsExpansion } from '../../plan/storage/expansion.ts';
import { sizeOf } from '../../plan/storage/match-volume.ts';

/** The dependencies of the expand controller. */
export interface ExpandControllerOptions extends ControllerContext {
	readonly claims: Informer<PersistentVolumeClaim>;
	readonly recorder: Pick<EventRecorder, 'event'>;
}

/**
 * Reports claims that request more than they have: their provisioners expand the volumes. Upstream:
 * pkg/controller/volume/expand/expand_controller.go, which expands no volume itself that is left in Kubernetes 1.37.
 */
export class ExpandController {
	readonly #options: ExpandControllerOptions;
	readonly #controller: Controller;

	constructor(options: ExpandControllerOptions) {
		this.#options = options;
		this.#controller = new Controller(
			{
				name: 'volume_expand',
				watches: [watch(options.claims, keysOfGrown)],
				workers: 2,
				backoff: { baseMs: 5, capMs: 60_000 },
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informer is stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { claims, recorder } = this.#options;
		const { namespace, name } = splitKey(key);
		const claim = claims.get(namespace, name);
		if (claim && wantsExpansion(claim)) recorder.event(claim, WAITS_FOR_EXPANSION);
		return DONE;
	}
}

/** A claim that is new here, or requests more than before: an event for each change would say nothing new. */
function keysOfGrown(claim: PersistentVolumeClaim | undefined, old: PersistentVolumeClaim | undefined): Keys {
	if (!claim || !wantsExpansion(claim)) return NO_KEYS;
	return !old || compareQuantities(sizeOf(claim), sizeOf(old)) > 0 ? [keyOfObject(claim)] : NO_KEYS;
}
