import { type FieldPath, SPEC } from '../../errors/field-path.ts';
import { ipRangeWarnings, ipWarnings } from '../../network/ip-address.ts';
import type { Service, ServiceSpec } from './schema.ts';
import { HEADLESS } from './service-type.ts';
import { HINTS_ANNOTATION, MODE_ANNOTATION } from './topology-annotations.ts';

/** The warnings about a new or changed Service (upstream: `GetWarningsForService` in pkg/api/service/warnings.go). */
export function serviceWarnings({ metadata, spec }: Service): readonly string[] {
	const warnings: string[] = [];
	const { type, clusterIP = '', clusterIPs = [], externalIPs = [], externalName = '' } = spec;
	const isHeadless = type === 'ClusterIP' && clusterIP === HEADLESS;
	if (metadata.annotations?.[HINTS_ANNOTATION] !== undefined) {
		warnings.push(`annotation ${HINTS_ANNOTATION} is deprecated, please use ${MODE_ANNOTATION} instead`);
	}
	if (clusterIP !== '' && clusterIP !== HEADLESS) {
		warnings.push(...ofEach(clusterIPs, SPEC.child('clusterIPs'), ipWarnings));
	}
	if (isHeadless) warnings.push(...headlessWarnings(spec));
	warnings.push(...ofEach(externalIPs, SPEC.child('externalIPs'), ipWarnings));
	if (externalIPs.length > 0 && !isHeadless && type !== 'ExternalName') {
		warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
	}
	warnings.push(...balancerWarnings(spec));
	if (type === 'ExternalName' && externalIPs.length > 0) {
		warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
	}
	if (type !== 'ExternalName' && externalName !== '') {
		warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
	}
	if (spec.trafficDistribution === 'PreferClose') {
		warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
	}
	return warnings;
}

function headlessWarnings({
	loadBalancerIP,
	externalIPs = [],
	sessionAffinity,
}: ServiceSpec): readonly string[] {
	const warnings: string[] = [];
	if (loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services');
	if (externalIPs.length > 0) warnings.push('spec.externalIPs is ignored for headless services');
	if (sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services');
	return warnings;
}

function balancerWarnings({ loadBalancerIP, loadBalancerSourceRanges = [] }: ServiceSpec): readonly string[] {
	return [
		...(loadBalancerIP ? ipWarnings(loadBalancerIP, SPEC.child('loadBalancerIP')) : []),
		...ofEach(loadBalancerSourceRanges, SPEC.child('loadBalancerSourceRanges'), ipRangeWarnings),
	];
}

function ofEach(
	values: readonly string[],
	path: FieldPath,
	warningsOf: (value: string, path: FieldPath) => readonly string[],
): readonly string[] {
	return values.flatMap((value, index) => warningsOf(value, path.index(index)));
}
