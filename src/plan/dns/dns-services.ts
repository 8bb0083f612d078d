import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { hasAddress, type ServiceWithSlices } from '../service-proxy/service-endpoints.ts';
import type { DnsEndpoint, DnsPort, DnsService } from './zone.ts';

/** What DNS tells about the Services: the rules of CoreDNS's plugin `kubernetes`. */
export function dnsServicesOf(services: readonly ServiceWithSlices[]): readonly DnsService[] {
	return services.map(({ service, slices }) => {
		const { metadata, spec } = service;
		const own = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
		const nothing = { clusterIP: undefined, externalName: undefined, ports: [], endpoints: [] };
		if (spec.type === 'ExternalName') return { ...own, ...nothing, externalName: spec.externalName ?? '' };
		if (!hasAddress(service)) return { ...own, ...nothing, endpoints: slices.flatMap(endpointsOf) };
		return { ...own, ...nothing, clusterIP: spec.clusterIP, ports: (spec.ports ?? []).flatMap(dnsPort) };
	});
}

/** Those that are ready: a Service that publishes others has them marked as ready. */
function endpointsOf({ addressType, ports, endpoints }: EndpointSlice): readonly DnsEndpoint[] {
	if (addressType !== 'IPv4') return [];
	const named = (ports ?? []).flatMap(dnsPort);
	return (endpoints ?? [])
		.filter(({ conditions }) => conditions?.ready !== false)
		.flatMap(({ addresses, hostname }) => addresses.map((address) => ({ address, hostname, ports: named })));
}

function dnsPort({
	name,
	protocol = 'TCP',
	port,
}: {
	readonly name?: string | undefined;
	readonly protocol?: string | undefined;
	readonly port?: number | undefined;
}): readonly DnsPort[] {
	return name && port !== undefined ? [{ name, protocol: protocol.toLowerCase(), port }] : [];
}
