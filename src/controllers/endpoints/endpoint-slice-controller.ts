import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { ENDPOINT_SLICE_CONTROLLER } from '../../api/discovery/endpointslice/labels.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { messageOf } from '../../base/message-of.ts';
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
import { type TriggerTimes, triggerText, triggerTimes } from '../../plan/services/endpoints/trigger-times.ts';
import { planSlices } from '../../plan/services/slices/plan-slices.ts';
import { podsOfService, servicesOfPod, servicesOfSlice, slicesOfService } from './service-pods.ts';
import { SliceWriter } from './slice-writer.ts';

/** The dependencies of the endpointslice controller; see service-pods.ts for the indexes of the informers. */
export interface EndpointSliceControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly services: Informer<Service>;
	readonly pods: Informer<Pod>;
	readonly nodes: Informer<Node>;
	readonly slices: Informer<EndpointSlice>;
}

/**
 * The endpointslice controller: keeps the EndpointSlices of Services with a selector. The garbage collector deletes them
 * with their Service, their owner. plan/services/slices decides. Upstream: pkg/controller/endpointslice. The keys are
 * Services.
 */
export class EndpointSliceController {
	readonly #options: EndpointSliceControllerOptions;
	readonly #controller: Controller;
	readonly #writer: SliceWriter;
	readonly #times = new Map<string, TriggerTimes>();

	constructor(options: EndpointSliceControllerOptions) {
		const { client, services, pods, nodes, slices } = options;
		this.#options = options;
		this.#writer = new SliceWriter(client, slices);
		this.#controller = new Controller(
			{
				name: 'endpoint_slice',
				watches: [
					// A Pod whose Node is missing is left out until the Node exists; the backoff repeats that pass.
					watch(nodes, () => []),
					watch(slices, (slice, old) => servicesOfSlice(slice, old, ENDPOINT_SLICE_CONTROLLER)),
					watch(services, keyOfEither),
					watch(pods, (pod, old) => servicesOfPod(services, pod, old)),
				],
				workers: 5,
				backoff: { baseMs: 1000, capMs: 1_000_000 },
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
		const { services, recorder } = this.#options;
		const { namespace, name } = splitKey(key);
		const service = services.get(namespace, name);
		if (!service) {
			this.#times.delete(key);
			return DONE;
		}
		try {
			return (await this.#write(key, service)) ? DONE : again(OVERTAKEN_MS);
		} catch (error) {
			const message = `Error updating Endpoint Slices for Service ${key}: ${messageOf(error)}`;
			recorder.event(service, { type: 'Warning', reason: 'FailedToUpdateEndpointSlices', message });
			throw error;
		}
	}

	async #write(key: string, service: Service): Promise<boolean> {
		const { pods, nodes, slices } = this.#options;
		const selected = podsOfService(pods, service);
		const { times, changed } = triggerTimes(this.#times.get(key), service, selected);
		this.#times.set(key, times);
		const plan = planSlices({
			service,
			pods: selected,
			slices: slicesOfService(slices, key, ENDPOINT_SLICE_CONTROLLER),
			nodeNamed: (name) => nodes.get('', name),
			...triggerText(changed),
		});
		const isWritten = await this.#writer.apply(service.metadata.namespace ?? '', plan);
		if (plan.problems.length > 0) throw new Error(plan.problems.join(', '));
		return isWritten;
	}
}
