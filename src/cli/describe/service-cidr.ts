import type { IpAddressObject } from '../../api/networking/ipaddress/schema.ts';
import type { ServiceCidr } from '../../api/networking/servicecidr/schema.ts';
import { annotationLines, at, instant, labelLines } from './lines.ts';

/** The lines of a ServiceCIDR. */
export function serviceCidrLines({ metadata, spec, status }: ServiceCidr): readonly string[] {
	const { conditions = [] } = status;
	const rows = conditions.map(({ type, status: state, lastTransitionTime, reason, message }) =>
		at(1, [type, state, instant(lastTransitionTime), reason, message].join('\t')),
	);
	const table = [
		'Status:',
		'Conditions:',
		at(1, 'Type\tStatus\tLastTransitionTime\tReason\tMessage'),
		at(1, '----\t------\t------------------\t------\t-------'),
		...rows,
	];
	return [
		`Name:\t${metadata.name}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		`CIDRs:\t${(spec.cidrs ?? []).join(', ')}`,
		...(rows.length > 0 ? table : []),
	];
}

/** The lines of an IPAddress. */
export function ipAddressLines({ metadata, spec: { parentRef } }: IpAddressObject): readonly string[] {
	const { group = '', resource = '', namespace = '', name = '' } = parentRef ?? {};
	const parent = [
		'Parent Reference:',
		at(1, `Group:\t${group}`),
		at(1, `Resource:\t${resource}`),
		at(1, `Namespace:\t${namespace}`),
		at(1, `Name:\t${name}`),
	];
	return [
		`Name:\t${metadata.name}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		...(parentRef ? parent : []),
	];
}
