import type { Service, ServicePort } from '../../api/core/service/schema.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import { annotationLines, labelLines } from './lines.ts';

/** The lines of a Service. `slices` are its EndpointSlices; undefined if they could not be listed. */
export function serviceLines(
	service: Service,
	slices: readonly EndpointSlice[] | undefined,
): readonly string[] {
	const { metadata, spec } = service;
	const { ports = [], healthCheckNodePort = 0, loadBalancerSourceRanges = [] } = spec;
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		`Selector:\t${labelSelectorText({ matchLabels: spec.selector ?? {} })}`,
		`Type:\t${spec.type ?? ''}`,
		...addressLines(service),
		...ports.flatMap((port) => portLines(port, slices)),
		`Session Affinity:\t${spec.sessionAffinity ?? ''}`,
		...(spec.externalTrafficPolicy ? [`External Traffic Policy:\t${spec.externalTrafficPolicy}`] : []),
		...(spec.internalTrafficPolicy ? [`Internal Traffic Policy:\t${spec.internalTrafficPolicy}`] : []),
		...(healthCheckNodePort > 0 ? [`HealthCheck NodePort:\t${healthCheckNodePort}`] : []),
		...(loadBalancerSourceRanges.length > 0
			? [`LoadBalancer Source Ranges:\t${loadBalancerSourceRanges.join(',')}`]
			: []),
	];
}

function addressLines({ spec, status }: Service): readonly string[] {
	const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy, externalIPs = [] } = spec;
	const ingress = (status.loadBalancer?.ingress ?? []).map(({ ip, ipMode, hostname = '' }) =>
		ip ? `${ip}${ipMode ? ` (${ipMode})` : ''}` : hostname,
	);
	return [
		...(ipFamilyPolicy ? [`IP Family Policy:\t${ipFamilyPolicy}`] : []),
		`IP Families:\t${ipFamilies.join(',') || '<none>'}`,
		`IP:\t${clusterIP}`,
		`IPs:\t${clusterIPs.join(',') || '<none>'}`,
		...(externalIPs.length > 0 ? [`External IPs:\t${externalIPs.join(',')}`] : []),
		...(spec.loadBalancerIP ? [`Desired LoadBalancer IP:\t${spec.loadBalancerIP}`] : []),
		...(spec.externalName ? [`External Name:\t${spec.externalName}`] : []),
		...(ingress.length > 0 ? [`LoadBalancer Ingress:\t${ingress.join(', ')}`] : []),
	];
}

function portLines(port: ServicePort, slices: readonly EndpointSlice[] | undefined): readonly string[] {
	const { name = '', protocol = 'TCP', targetPort = port.port, nodePort = 0 } = port;
	const shown = name || '<unset>';
	return [
		`Port:\t${shown}\t${port.port}/${protocol}`,
		`TargetPort:\t${targetPort}/${protocol}`,
		...(nodePort > 0 ? [`NodePort:\t${shown}\t${nodePort}/${protocol}`] : []),
		`Endpoints:\t${endpointsText(slices, name)}`,
	];
}

const SHOWN = 3;

/** The ready endpoints of a port. */
function endpointsText(slices: readonly EndpointSlice[] | undefined, name: string): string {
	if (!slices || slices.length === 0) return '<none>';
	const all = slices.flatMap(({ endpoints, ports }) => {
		const port = ports.find((each) => (each.name ?? '') === name)?.port;
		if (port === undefined) return [];
		return endpoints
			.filter(({ conditions }) => conditions?.ready ?? true)
			.flatMap(({ addresses }) =>
				addresses.map((ip) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)),
			);
	});
	const text = all.slice(0, SHOWN).join(',');
	return all.length > SHOWN ? `${text} + ${all.length - SHOWN} more...` : text;
}
