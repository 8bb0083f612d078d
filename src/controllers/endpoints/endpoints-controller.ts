import { endpoints as endpointsResource } from '../../api/core/endpoints/definition.ts';
import type { Endpoints } from '../../api/core/endpoints/schema.ts';
import { ENDPOINTS_CONTROLLER, ENDPOINTS_MANAGER_LABEL } from '../../api/core/endpoints/validation.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { isNamespaceTerminating } from '../../api/errors/api-error.ts';
import { messageOf } from '../../base/message-of.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import {
	Controller,
	type ControllerContext,
	type Keys,
	keyOfEither,
	NO_KEYS,
	OVERTAKEN_MS,
	watch,
} from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, splitKey } from '../../client/informer.ts';
import { isOvertaken, uidPrecondition, unlessOvertaken } from '../../client/outcomes.ts';
import { isLeaderElection } from '../../plan/services/endpoints/members.ts';
import { planEndpoints } from '../../plan/services/endpoints/plan-endpoints.ts';
import { type TriggerTimes, triggerText, triggerTimes } from '../../plan/services/endpoints/trigger-times.ts';
import { podsOfService, servicesOfPod } from './service-pods.ts';

/** The dependencies of the endpoints controller; see service-pods.ts for the indexes of the informers. */
export interface EndpointsControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly services: Informer<Service>;
	readonly pods: Informer<Pod>;
	readonly endpoints: Informer<Endpoints>;
}

/**
 * The endpoints controller: keeps the Endpoints of Services with a selector, and deletes those of Services that no longer
 * exist. plan/services/endpoints decides. Upstream: pkg/controller/endpoint. The keys are Services.
 */
export class EndpointsController {
	readonly #options: EndpointsControllerOptions;
	readonly #controller: Controller;
	readonly #times = new Map<string, TriggerTimes>();

	constructor(options: EndpointsControllerOptions) {
		const { services, pods, endpoints } = options;
		this.#options = options;
		this.#controller = new Controller(
			{
				name: 'endpoint',
				watches: [
					watch(endpoints, keysOfEndpoints),
					watch(services, keyOfEither),
					watch(pods, (pod, old) => servicesOfPod(services, pod, old)),
				],
				workers: 5,
				backoff: { baseMs: 5, capMs: 1_000_000 },
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
		const { services, endpoints } = this.#options;
		const { namespace, name } = splitKey(key);
		const service = services.get(namespace, name);
		const current = endpoints.get(namespace, name);
		if (service) return this.#write(key, service, current);
		this.#times.delete(key);
		if (current && !isLeaderElection(current)) await this.#delete(current);
		return DONE;
	}

	async #delete(current: Endpoints): Promise<void> {
		const { namespace = '', name = '' } = current.metadata;
		const target = this.#options.client.resource(endpointsResource, namespace);
		await unlessOvertaken(target.delete(name, uidPrecondition(current)));
	}

	async #write(key: string, service: Service, current: Endpoints | undefined): Promise<Outcome> {
		const { client, pods, endpoints, recorder } = this.#options;
		const selected = podsOfService(pods, service);
		const { times, changed } = triggerTimes(this.#times.get(key), service, selected);
		this.#times.set(key, times);
		const plan = planEndpoints({
			service,
			pods: selected,
			endpoints: current,
			...triggerText(changed),
		});
		if (plan.kind === 'keep') return DONE;
		const target = client.resource(endpointsResource, service.metadata.namespace ?? '');
		try {
			const { kind, object } = plan;
			const stored = await (kind === 'create' ? target.create(object) : target.update(object));
			await endpoints.reached(stored.metadata.resourceVersion);
			return DONE;
		} catch (error) {
			if (isNamespaceTerminating(error)) return DONE;
			if (plan.kind === 'update' && isOvertaken(error)) return again(OVERTAKEN_MS);
			recorder.event(plan.object, failureOf(plan.kind, key, error));
			throw error;
		}
	}
}

function failureOf(kind: 'create' | 'update', key: string, error: unknown): EventText {
	const [reason, act] =
		kind === 'create'
			? ['FailedToCreateEndpoint', 'create endpoint for service']
			: ['FailedToUpdateEndpoint', 'update endpoint'];
	return { type: 'Warning', reason, message: `Failed to ${act} ${key}: ${messageOf(error)}` };
}

/**
 * Endpoints that the controller manages, or managed before the change, and deleted ones. Upstream deletes at its start all
 * Endpoints without a Service; here those of users stay, who may create the Service later.
 */
function keysOfEndpoints(object: Endpoints | undefined, old: Endpoints | undefined): Keys {
	const isManaged = [object, old].some(
		(each) => each?.metadata.labels?.[ENDPOINTS_MANAGER_LABEL] === ENDPOINTS_CONTROLLER,
	);
	return isManaged || !object ? keyOfEither(object, old) : NO_KEYS;
}
