import { validateAddresses } from '../../../api/core/service/address-validation.ts';
import type { ServiceSpec } from '../../../api/core/service/schema.ts';
import { HEADLESS, needsClusterIp } from '../../../api/core/service/service-type.ts';
import { collectErrors, fieldInvalid } from '../../../api/errors/field-errors.ts';
import { type FieldError, SPEC } from '../../../api/errors/field-path.ts';
import { parseIp } from '../../../api/network/ip-address.ts';

type Families = NonNullable<ServiceSpec['ipFamilies']>;

/** The families of the addresses that this cluster allocates. With one more, families and policies need review. */
const CLUSTER_FAMILIES: Families = ['IPv4'];

const POLICY = SPEC.child('ipFamilyPolicy');

/** The spec with its families, or why they are refused. */
export type WithFamilies = { readonly spec: ServiceSpec } | { readonly errors: readonly FieldError[] };

/**
 * Sets ipFamilyPolicy and ipFamilies where the client left them out, and refuses those that the cluster does not have
 * (upstream: `initIPFamilyFields` in pkg/registry/core/service/storage/alloc.go, in a cluster with one family). `old` is
 * undefined for a new Service.
 */
export function withFamilies(given: ServiceSpec, old: ServiceSpec | undefined): WithFamilies {
	if (!needsClusterIp(given)) return { spec: given };
	const spec: ServiceSpec = { ...given, ipFamilyPolicy: policyOf(given, old) };
	const malformed = collectErrors(() => validateAddresses(spec, old));
	if (malformed.length > 0) return { errors: malformed };
	const reduced = withoutSecond(spec, old);
	const conflicts = [...validateReduction(spec, old), ...validatePolicy(reduced)];
	const inferred = withInferredFamilies(reduced);
	const errors = [...conflicts, ...inferred.errors];
	if (errors.length > 0) return { errors };
	// Endpoints of any family can be assigned to a headless Service without selector, so it may have both in any cluster.
	if (isHeadlessWithoutSelector(spec)) return { spec: withBothFamilies(inferred.spec) };
	const missing = validateConfigured(inferred.spec);
	if (missing.length > 0) return { errors: missing };
	const { ipFamilies = [] } = inferred.spec;
	return { spec: ipFamilies.length > 0 ? inferred.spec : { ...inferred.spec, ipFamilies: CLUSTER_FAMILIES } };
}

function isHeadlessWithoutSelector({ clusterIP, selector = {} }: ServiceSpec): boolean {
	return clusterIP === HEADLESS && Object.keys(selector).length === 0;
}

/** The number of families never changes unless the client says so: an update without policy keeps the old one. */
function policyOf(
	spec: ServiceSpec,
	old: ServiceSpec | undefined,
): NonNullable<ServiceSpec['ipFamilyPolicy']> {
	if (spec.ipFamilyPolicy !== undefined) return spec.ipFamilyPolicy;
	if (old?.ipFamilyPolicy !== undefined) return old.ipFamilyPolicy;
	return isHeadlessWithoutSelector(spec) ? 'RequireDualStack' : 'SingleStack';
}

/** Drops the second address and family of an update that asks for one family and repeats the two old ones. */
function withoutSecond(spec: ServiceSpec, old: ServiceSpec | undefined): ServiceSpec {
	if (!old || spec.ipFamilyPolicy !== 'SingleStack') return spec;
	const { clusterIPs = [], ipFamilies = [] } = spec;
	return {
		...spec,
		...(clusterIPs.length > 1 &&
			isSameList(clusterIPs, old.clusterIPs) && { clusterIPs: clusterIPs.slice(0, 1) }),
		...(ipFamilies.length > 1 &&
			isSameList(ipFamilies, old.ipFamilies) && { ipFamilies: ipFamilies.slice(0, 1) }),
	};
}

function isSameList(list: readonly string[], other: readonly string[] = []): boolean {
	return list.length === other.length && list.every((value, index) => value === other[index]);
}

function validateReduction(spec: ServiceSpec, old: ServiceSpec | undefined): readonly FieldError[] {
	if (!old || spec.ipFamilyPolicy === 'SingleStack') return [];
	const isReduced = (next: readonly string[] = [], before: readonly string[] = []): boolean =>
		next.length > 0 && next.length < before.length;
	const refuse = (what: string): FieldError =>
		fieldInvalid(POLICY, spec.ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what}`);
	return [
		...(isReduced(spec.clusterIPs, old.clusterIPs) ? [refuse('cluster IP')] : []),
		...(isReduced(spec.ipFamilies, old.ipFamilies) ? [refuse('IP family')] : []),
	];
}

function validatePolicy({
	ipFamilyPolicy,
	clusterIPs = [],
	ipFamilies = [],
}: ServiceSpec): readonly FieldError[] {
	if (ipFamilyPolicy !== 'SingleStack') return [];
	const refuse = (what: string): FieldError => {
		const text = `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
		return fieldInvalid(POLICY, ipFamilyPolicy, text);
	};
	return [
		...(clusterIPs.length === 2 ? [refuse('cluster IPs')] : []),
		...(ipFamilies.length === 2 ? [refuse('IP families')] : []),
	];
}

/** Adds the families of the addresses that the client chose. */
function withInferredFamilies(spec: ServiceSpec): {
	readonly spec: ServiceSpec;
	readonly errors: readonly FieldError[];
} {
	const { clusterIPs = [], ipFamilies = [] } = spec;
	const families = [...ipFamilies];
	const errors: FieldError[] = [];
	for (const [index, address] of clusterIPs.entries()) {
		const family = parseIp(address)?.family;
		if (address === HEADLESS || family === undefined) break;
		if (index < families.length) continue;
		if (CLUSTER_FAMILIES.includes(family)) families.push(family);
		else {
			const text = `${family} is not configured on this cluster`;
			errors.push(fieldInvalid(SPEC.child('clusterIPs').index(index), clusterIPs, text));
		}
	}
	return { spec: families.length > ipFamilies.length ? { ...spec, ipFamilies: families } : spec, errors };
}

function withBothFamilies(spec: ServiceSpec): ServiceSpec {
	const families = spec.ipFamilies?.length ? spec.ipFamilies : CLUSTER_FAMILIES;
	const isSingle = families.length > 1 || spec.ipFamilyPolicy === 'SingleStack';
	const other = families[0] === 'IPv4' ? 'IPv6' : 'IPv4';
	return { ...spec, ipFamilies: isSingle ? families : [...families, other] };
}

function validateConfigured({ ipFamilyPolicy, ipFamilies = [] }: ServiceSpec): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (ipFamilyPolicy === 'RequireDualStack') {
		errors.push(
			fieldInvalid(POLICY, ipFamilyPolicy, 'this cluster is not configured for dual-stack services'),
		);
	}
	for (const [index, family] of ipFamilies.entries()) {
		if (CLUSTER_FAMILIES.includes(family)) continue;
		const path = SPEC.child('ipFamilies').index(index);
		errors.push(fieldInvalid(path, family, 'not configured on this cluster'));
	}
	return errors;
}
