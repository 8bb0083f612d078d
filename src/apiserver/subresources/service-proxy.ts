/**
 * `services/<name>/proxy`: passes HTTP requests on to a ready endpoint of a Service, chosen at random (upstream: ProxyREST
 * and ResourceLocation in registry/core/service). The endpoint must be a Pod of the namespace, as upstream, since the way
 * to it is the Pod's node agent: see pod-proxy.ts.
 */

import { endpoints } from '../../api/core/endpoints/definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { services } from '../../api/core/service/definition.ts';
import { endpointSlices } from '../../api/discovery/endpointslice/definition.ts';
import { badRequest, notFound, serviceUnavailable } from '../../api/errors/api-error.ts';
import type { ConnectOptions } from '../../api/schema/openapi.ts';
import { quote } from '../../base/quote.ts';
import { proxiedName } from '../../plan/proxy/proxied-name.ts';
import {
	isBackend,
	isSliceOf,
	type ServiceBackend,
	type ServiceView,
	serviceBackends,
} from '../../plan/proxy/service-backends.ts';
import type { ServerContext } from '../context.ts';
import type { ProxyTarget } from '../proxy/proxy-target.ts';
import type { ResourceRequest } from '../request.ts';
import { cachedObject, cachedObjectsIn } from '../storage/cached-objects.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import { proxyToPort } from './pod-proxy.ts';

/** The kind of the options of `services/<name>/proxy`, for discovery and OpenAPI. */
export const SERVICE_PROXY_OPTIONS: ConnectOptions = {
	group: '',
	version: 'v1',
	kind: 'ServiceProxyOptions',
	parameters: { path: 'string' },
};

/** See the header of this file. Throws BadRequest, NotFound, or ServiceUnavailable without a usable endpoint. */
export function serviceProxy(server: ServerContext, request: ResourceRequest): ProxyTarget {
	const { namespace, name: id, rest } = request;
	const named = proxiedName(id);
	if (!named) throw badRequest(`invalid service request ${quote(id)}`);
	const found = serviceBackends(viewOf(server, namespace, named.name), named);
	if (found.type === 'refused') throw serviceUnavailable(found.why);
	const { backends } = found;
	const start = Math.floor(server.random.next() * backends.length);
	for (const backend of [...backends.slice(start), ...backends.slice(0, start)]) {
		const pod = podOf(server, namespace, backend);
		if (pod) return proxyToPort(server, { pod, port: backend.port, isTls: named.isTls, rest });
	}
	const none = `no endpoints available for service ${quote(id)}`;
	// Upstream says only the first half, though a user who wrote the endpoints sees that there are some.
	throw serviceUnavailable(backends.length === 0 ? none : `${none}: none of them is a Pod of the namespace`);
}

function viewOf({ cache }: ServerContext, namespace: string, name: string): ServiceView {
	const service = cachedObject(cache, services, { namespace, name });
	if (!service) throw notFound(subjectOf(services, name));
	return {
		service,
		slices: cachedObjectsIn(cache, endpointSlices, namespace).filter((slice) => isSliceOf(slice, name)),
		endpoints: cachedObject(cache, endpoints, { namespace, name }),
	};
}

function podOf({ cache }: ServerContext, namespace: string, backend: ServiceBackend) {
	if (backend.pod === undefined) return undefined;
	const pod = cachedObject(cache, pods, { namespace, name: backend.pod });
	return pod && isBackend(pod, backend) ? pod : undefined;
}
