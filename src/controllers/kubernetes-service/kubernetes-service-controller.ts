import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { endpoints as endpointsResource } from '../../api/core/endpoints/definition.ts';
import type { Endpoints } from '../../api/core/endpoints/schema.ts';
import { services as serviceResource } from '../../api/core/service/definition.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { endpointSlices } from '../../api/discovery/endpointslice/definition.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { Controller, type ControllerContext, type Keys, NO_KEYS, watch } from '../../client/controller.ts';
import { type Informer, keyOf, keyOfObject } from '../../client/informer.ts';
import { isOvertaken, uidPrecondition } from '../../client/outcomes.ts';
import {
	type Act,
	API_SERVER_NAMESPACE,
	API_SERVER_SERVICE,
	planApiServerService,
} from '../../plan/services/api-server-service.ts';

/** The dependencies of the controller of the Service `kubernetes`. */
export interface KubernetesServiceOptions extends ControllerContext {
	readonly client: Client;
	readonly services: Informer<Service>;
	readonly endpoints: Informer<Endpoints>;
	readonly slices: Informer<EndpointSlice>;
	/** The address of the Service. */
	readonly clusterIp: string;
	/** The IPv4 address and the port at which the API server listens. */
	readonly listener: { readonly ip: string; readonly port: number };
}

const KEY = keyOf(API_SERVER_NAMESPACE, API_SERVER_SERVICE);

/** Time after which a pass is repeated that another writer has overtaken, or that has deleted an object. */
const REPEAT_MS = 50;

/**
 * Keeps the Service `kubernetes` of the API server, with its Endpoints and its EndpointSlice, and restores them if they are
 * changed or deleted. plan/services/api-server-service.ts decides. Upstream:
 * pkg/controlplane/controller/kubernetesservice. There is only one key.
 */
export class KubernetesServiceController {
	readonly #options: KubernetesServiceOptions;
	readonly #controller: Controller;

	constructor(options: KubernetesServiceOptions) {
		const { services, endpoints, slices } = options;
		this.#options = options;
		this.#controller = new Controller(
			{
				name: 'kubernetes_service',
				watches: [watch(services, keysOf), watch(endpoints, keysOf), watch(slices, keysOf)],
				sources: [async (queue) => queue.add(KEY)],
				workers: 1,
				backoff: { baseMs: 100, capMs: 10_000 },
				reconcile: () => this.#reconcile(),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or an informer is stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #reconcile(): Promise<Outcome> {
		const { services, endpoints, slices, clusterIp, listener } = this.#options;
		const plan = planApiServerService({
			clusterIp,
			listener,
			service: services.get(API_SERVER_NAMESPACE, API_SERVER_SERVICE),
			endpoints: endpoints.get(API_SERVER_NAMESPACE, API_SERVER_SERVICE),
			slice: slices.get(API_SERVER_NAMESPACE, API_SERVER_SERVICE),
		});
		const results = [
			await this.#perform(serviceResource, plan.service),
			await this.#perform(endpointsResource, plan.endpoints),
			await this.#perform(endpointSlices, plan.slice),
		];
		return results.every((isDone) => isDone) ? DONE : again(REPEAT_MS);
	}

	/** Resolves to false if the pass must be repeated. */
	async #perform<T extends KubeObject>(definition: ResourceDefinition<T>, act?: Act<T>): Promise<boolean> {
		if (!act) return true;
		const target = this.#options.client.resource(definition, API_SERVER_NAMESPACE);
		try {
			if (act.kind === 'create') await target.create(act.object);
			else if (act.kind === 'update') await target.update(act.object);
			else await target.delete(API_SERVER_SERVICE, uidPrecondition(act.object));
			return act.kind !== 'replace';
		} catch (error) {
			if (isOvertaken(error) || isApiError(error, 'AlreadyExists')) return false;
			throw error;
		}
	}
}

function keysOf(object: KubeObject | undefined, old: KubeObject | undefined): Keys {
	return [object, old].some((each) => each && keyOfObject(each) === KEY) ? [KEY] : NO_KEYS;
}
