import type { Endpoints } from '../../api/core/endpoints/schema.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { MIRRORING_CONTROLLER } from '../../api/discovery/endpointslice/labels.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import {
	Controller,
	type ControllerContext,
	keyOfEither,
	OVERTAKEN_MS,
	watch,
} from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, splitKey } from '../../client/informer.ts';
import { planMirror } from '../../plan/services/slices/plan-mirror.ts';
import { servicesOfSlice, slicesOfService } from './service-pods.ts';
import { SliceWriter } from './slice-writer.ts';

/** The dependencies of the mirroring controller; see service-pods.ts for the indexes of the informers. */
export interface MirroringControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly services: Informer<Service>;
	readonly endpoints: Informer<Endpoints>;
	readonly slices: Informer<EndpointSlice>;
}

/**
 * The endpointslicemirroring controller: mirrors Endpoints that users write for Services without a selector into
 * EndpointSlices. plan/services/slices/plan-mirror.ts decides. Upstream: pkg/controller/endpointslicemirroring. The keys are
 * Endpoints, whose Service has the same name.
 */
export class EndpointSliceMirroringController {
	readonly #options: MirroringControllerOptions;
	readonly #controller: Controller;
	readonly #writer: SliceWriter;

	constructor(options: MirroringControllerOptions) {
		const { client, services, endpoints, slices } = options;
		this.#options = options;
		this.#writer = new SliceWriter(client, slices);
		this.#controller = new Controller(
			{
				name: 'endpoint_slice_mirroring',
				watches: [
					watch(slices, (slice, old) => servicesOfSlice(slice, old, MIRRORING_CONTROLLER)),
					watch(services, keyOfEither),
					watch(endpoints, keyOfEither),
				],
				workers: 5,
				backoff: { baseMs: 1000, capMs: 100_000 },
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or an informer is stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { services, endpoints, slices, recorder } = this.#options;
		const { namespace, name } = splitKey(key);
		const object = endpoints.get(namespace, name);
		const plan = planMirror({
			endpoints: object,
			service: services.get(namespace, name),
			slices: slicesOfService(slices, key, MIRRORING_CONTROLLER),
		});
		if (object) for (const event of plan.events) recorder.event(object, event);
		return (await this.#writer.apply(namespace, plan)) ? DONE : again(OVERTAKEN_MS);
	}
}
