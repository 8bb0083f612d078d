/**
 * `pods/<name>/proxy`: passes HTTP requests on to a port of a Pod (upstream: ProxyREST in registry/core/pod/rest). The name
 * in the path may have a scheme and a port: `https:p:8443`. The way to the Pod is its node agent, which reaches the ports of
 * every runtime; the API server connects to no address itself. proxy/ speaks HTTP over it.
 */

import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { ApiError, badRequest, serviceUnavailable } from '../../api/errors/api-error.ts';
import type { ConnectOptions } from '../../api/schema/openapi.ts';
import { quote } from '../../base/quote.ts';
import { proxiedName, proxiedPodPort } from '../../plan/proxy/proxied-name.ts';
import type { ServerContext } from '../context.ts';
import type { ProxyTarget } from '../proxy/proxy-target.ts';
import type { ResourceRequest } from '../request.ts';
import { existing } from '../verbs/get.ts';
import { connectedNode } from './connected-node.ts';

/** The kind of the options of `pods/<name>/proxy`, for discovery and OpenAPI. */
export const POD_PROXY_OPTIONS: ConnectOptions = {
	group: '',
	version: 'v1',
	kind: 'PodProxyOptions',
	parameters: { path: 'string' },
};

/** See the header of this file. Throws BadRequest, NotFound, or ServiceUnavailable if the node cannot be reached. */
export function podProxy(server: ServerContext, request: ResourceRequest): ProxyTarget {
	const named = proxiedName(request.name);
	if (!named) throw badRequest(`invalid pod request ${quote(request.name)}`);
	const { object: pod } = existing({ ...request, name: named.name });
	if (!isPod(pod)) throw badRequest('only Pods have proxies');
	const port = proxiedPodPort(pod, named);
	if (port === undefined) throw badRequest(`pod ${quote(named.name)} has no port ${quote(named.port)}`);
	return proxyToPort(server, { pod, port, isTls: named.isTls, rest: request.rest });
}

/** The way to a port of a Pod. Throws BadRequest or ServiceUnavailable. */
export function proxyToPort(
	server: ServerContext,
	{
		pod,
		port,
		isTls,
		rest,
	}: Pick<ProxyTarget, 'isTls' | 'rest'> & { readonly pod: Pod; readonly port: number },
): ProxyTarget {
	const { spec, status, metadata } = pod;
	const { name = '', namespace = '' } = metadata;
	const address = status.podIPs?.[0]?.ip ?? status.podIP ?? '';
	// As upstream. It refuses loopback addresses too: here the node agent knows which loopback is meant.
	if (!spec.nodeName || address === '') throw badRequest('address not allowed');
	const node = connectedNode(server, { nodeName: spec.nodeName, pod: name });
	const host = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
	const connect = async () => {
		try {
			return await node.portForward({ namespace, pod: name, port });
		} catch (error) {
			throw error instanceof ApiError ? serviceUnavailable(dialText(host, error.message)) : error;
		}
	};
	return { host, isTls, rest, connect };
}

/** The text of Go's net.Dial for the address of the Pod: node agents name the one that they have tried. */
function dialText(host: string, message: string): string {
	const why = /connect: ([^,]+)/.exec(message)?.[1];
	return why === undefined ? message : `dial tcp ${host}: connect: ${why}`;
}
