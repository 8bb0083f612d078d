import type { Endpoints } from '../../api/core/endpoints/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { SERVICE_NAME_LABEL } from '../../api/discovery/endpointslice/labels.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { quote } from '../../base/quote.ts';
import type { ProxiedName } from './proxied-name.ts';

/** What decides where a request to the proxy of a Service goes. */
export interface ServiceView {
	readonly service: Service;
	/** Those of the Service. */
	readonly slices: readonly EndpointSlice[];
	/** Asked only if there are no slices. */
	readonly endpoints: Endpoints | undefined;
}

/** A ready endpoint of a Service. */
export interface ServiceBackend {
	readonly address: string;
	readonly port: number;
	/** The name of the Pod, which is in the namespace of the Service; undefined if the endpoint is none. */
	readonly pod: string | undefined;
}

/** The backends for a port of a Service, or the message that says why there can be none. */
export type ServiceBackends =
	| { readonly type: 'backends'; readonly backends: readonly ServiceBackend[] }
	| { readonly type: 'refused'; readonly why: string };

/** Whether the slice is one of the Service with this name. */
export function isSliceOf({ metadata }: Pick<EndpointSlice, 'metadata'>, serviceName: string): boolean {
	return metadata.labels?.[SERVICE_NAME_LABEL] === serviceName;
}

/**
 * The ready endpoints for the port that a request names: by the number or by the name of a port of the Service; without
 * either, by the empty name. Upstream: ResourceLocation in registry/core/service/storage, which reads Endpoints only.
 */
export function serviceBackends(view: ServiceView, { port, name }: ProxiedName): ServiceBackends {
	const ports = view.service.spec.ports ?? [];
	const isNumber = /^\d+$/.test(port);
	const found = ports.find((each) => (isNumber ? each.port === Number(port) : (each.name ?? '') === port));
	if (!found && port !== '') {
		const shown = isNumber ? String(Number(port)) : quote(port);
		return { type: 'refused', why: `no service port ${shown} found for service ${quote(name)}` };
	}
	const hasSome = view.slices.some(({ endpoints }) => endpoints.length > 0);
	if (!hasSome && (view.endpoints?.subsets ?? []).length === 0)
		return { type: 'refused', why: `no endpoints available for service ${quote(name)}` };
	const portName = isNumber ? (found?.name ?? '') : port;
	const backends =
		view.slices.length > 0
			? view.slices.flatMap((slice) => backendsOfSlice(slice, portName))
			: backendsOfEndpoints(view.endpoints, portName);
	return { type: 'backends', backends };
}

interface NamedPort {
	readonly name?: string | null;
	readonly port?: number;
	readonly protocol?: string | null;
}

/** HTTP needs TCP. */
function portNamed(ports: readonly NamedPort[], wanted: string): number | undefined {
	return ports.find(({ name, protocol }) => (name ?? '') === wanted && (protocol ?? 'TCP') === 'TCP')?.port;
}

function backendsOfSlice(
	{ endpoints, ports, metadata }: EndpointSlice,
	portName: string,
): readonly ServiceBackend[] {
	const port = portNamed(ports, portName);
	if (port === undefined) return [];
	return endpoints
		.filter(({ conditions }) => conditions?.ready !== false)
		.flatMap(({ addresses: [address], targetRef }) =>
			address === undefined ? [] : [{ address, port, pod: podOf(targetRef, metadata.namespace) }],
		);
}

function backendsOfEndpoints(object: Endpoints | undefined, portName: string): readonly ServiceBackend[] {
	return (object?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
		const port = portNamed(ports, portName);
		if (port === undefined) return [];
		const namespace = object?.metadata.namespace;
		return addresses.map(({ ip, targetRef }) => ({ address: ip, port, pod: podOf(targetRef, namespace) }));
	});
}

type TargetRef = EndpointSlice['endpoints'][number]['targetRef'];

/** A reference into another namespace would lead past its access rules. */
function podOf(target: TargetRef, namespace: string | undefined): string | undefined {
	if (target?.kind !== 'Pod' || target.namespace !== namespace) return undefined;
	return target.name;
}

/**
 * Whether the Pod is the backend: it must have the address. Otherwise who may write endpoints could have requests sent to
 * any Pod of the namespace under the name of a Service.
 */
export function isBackend({ status }: Pod, { address }: ServiceBackend): boolean {
	return status.podIP === address || (status.podIPs ?? []).some(({ ip }) => ip === address);
}
