import type { EndpointSubset, Endpoints } from '../../api/core/endpoints/schema.ts';
import type { EndpointSlice, SliceEndpoint } from '../../api/discovery/endpointslice/schema.ts';
import { annotationLines, at, labelLines } from './lines.ts';

/** The lines of Endpoints. */
export function endpointsLines({ metadata, subsets = [] }: Endpoints): readonly string[] {
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		'Subsets:',
		...subsets.flatMap(subsetLines),
	];
}

function subsetLines({
	addresses = [],
	notReadyAddresses = [],
	ports = [],
}: EndpointSubset): readonly string[] {
	const join = (list: readonly { readonly ip: string }[]): string =>
		list.map(({ ip }) => ip).join(',') || '<none>';
	return [
		at(1, `Addresses:\t${join(addresses)}`),
		at(1, `NotReadyAddresses:\t${join(notReadyAddresses)}`),
		...(ports.length > 0 ? [at(1, 'Ports:'), ...portTable(2, ports)] : []),
		'',
	];
}

/** The lines of an EndpointSlice. */
export function endpointSliceLines(slice: EndpointSlice): readonly string[] {
	const { metadata, addressType, ports, endpoints } = slice;
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		`AddressType:\t${addressType}`,
		...(ports.length > 0 ? ['Ports:', ...portTable(1, ports)] : ['Ports: <unset>']),
		...(endpoints.length > 0 ? ['Endpoints:', ...endpoints.flatMap(endpointLines)] : ['Endpoints: <none>']),
	];
}

interface ShownPort {
	readonly name?: string;
	readonly port?: number;
	readonly protocol?: string;
}

function portTable(level: number, ports: readonly ShownPort[]): readonly string[] {
	return [
		at(level, 'Name\tPort\tProtocol'),
		at(level, '----\t----\t--------'),
		...ports.map(({ name, port, protocol = '' }) =>
			at(level, `${name || '<unset>'}\t${port ?? '<unset>'}\t${protocol}`),
		),
	];
}

function endpointLines({
	addresses,
	conditions = {},
	hostname,
	targetRef,
	nodeName,
	zone,
}: SliceEndpoint): readonly string[] {
	return [
		at(1, `- Addresses:\t${addresses.join(', ')}`),
		at(2, 'Conditions:'),
		at(3, `Ready:\t${conditions.ready ?? '<unset>'}`),
		at(2, `Hostname:\t${hostname ?? '<unset>'}`),
		...(targetRef ? [at(2, `TargetRef:\t${targetRef.kind}/${targetRef.name}`)] : []),
		at(2, `NodeName:\t${nodeName ?? '<unset>'}`),
		at(2, `Zone:\t${zone ?? '<unset>'}`),
	];
}
