/**
 * The rules about clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy of a Service. They depend on each other: each
 * address belongs to the family at its index, and the policy says how many there may be.
 */

import { duplicate, fieldInvalid, fieldRequired, notSupported } from '../../errors/field-errors.ts';
import { type FieldError, type FieldPath, SPEC } from '../../errors/field-path.ts';
import { parseIp, validateIp } from '../../network/ip-address.ts';
import type { ServiceSpec } from './schema.ts';
import { HEADLESS, isHeadless, needsClusterIp } from './service-type.ts';

const ADDRESSES = SPEC.child('clusterIPs');
const FAMILIES = SPEC.child('ipFamilies');
const POLICY = SPEC.child('ipFamilyPolicy');
const SUPPORTED_FAMILIES = ['IPv4', 'IPv6'];
const SUPPORTED_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const FIXED = 'may not change once set';

/**
 * The errors of the addresses and families by themselves (upstream: `ValidateServiceClusterIPsRelatedFields`). `old` is
 * undefined for a new Service.
 */
export function validateAddresses(spec: ServiceSpec, old: ServiceSpec | undefined): readonly FieldError[] {
	if (!needsClusterIp(spec)) return [];
	const errors = [...validateFirstAddress(spec), ...validateFamilies(spec)];
	const { clusterIPs = [], ipFamilies = [] } = spec;
	const known = new Set(old?.clusterIPs);
	const malformed = clusterIPs.flatMap((address, index) => {
		if (index > 0 || address !== HEADLESS) return validateIp(address, ADDRESSES.index(index), known);
		if (clusterIPs.length === 1) return [];
		return [fieldInvalid(ADDRESSES, clusterIPs, "'None' must be the first and only value")];
	});
	errors.push(...malformed);
	if (clusterIPs.length > 2) errors.push(fieldInvalid(ADDRESSES, clusterIPs, 'may only hold up to 2 values'));
	if (malformed.length > 0) return errors;
	const kinds = clusterIPs.map((address) => parseIp(address)?.family);
	if (clusterIPs.length > 1 && (clusterIPs.length > 2 || kinds[0] === kinds[1])) {
		errors.push(fieldInvalid(ADDRESSES, clusterIPs, 'may specify no more than one IP for each IP family'));
	}
	if (isHeadless(spec)) return errors;
	for (const [index, address] of clusterIPs.entries()) {
		const family = ipFamilies[index];
		if (family === undefined || family === kinds[index] || !SUPPORTED_FAMILIES.includes(family)) continue;
		const text = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
		errors.push(fieldInvalid(ADDRESSES.index(index), address, text));
	}
	return errors;
}

/** clusterIP and the first of clusterIPs are equal: the server fills in the one that the client omits. */
function validateFirstAddress({ clusterIP = '', clusterIPs = [] }: ServiceSpec): readonly FieldError[] {
	if (clusterIP === '') {
		if (clusterIPs.length === 0) return [];
		return [fieldInvalid(ADDRESSES, clusterIPs, 'must be empty when `clusterIP` is not specified')];
	}
	if (clusterIPs.length === 0) return [fieldRequired(ADDRESSES)];
	return clusterIPs[0] === clusterIP
		? []
		: [fieldInvalid(ADDRESSES, clusterIPs, 'first value must match `clusterIP`')];
}

function validateFamilies({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec): readonly FieldError[] {
	const errors: FieldError[] = [];
	for (const [index, family] of ipFamilies.entries()) {
		const path = FAMILIES.index(index);
		if (!SUPPORTED_FAMILIES.includes(family)) errors.push(notSupported(path, family, SUPPORTED_FAMILIES));
		if (ipFamilies.indexOf(family) < index) errors.push(duplicate(path, family));
		// The list may hold two values. A longer one has a duplicate or an unknown value, so the rest adds nothing.
		if (errors.length > 0) break;
	}
	if (ipFamilyPolicy !== undefined && !SUPPORTED_POLICIES.includes(ipFamilyPolicy)) {
		errors.push(notSupported(POLICY, ipFamilyPolicy, SUPPORTED_POLICIES));
	}
	return errors;
}

/**
 * The errors of a change of addresses and families. A second one can be added and released; the first one is fixed, unless
 * the type changes from or to ExternalName (upstream: `validateUpgradeDowngradeClusterIPs` and `…IPFamilies`).
 */
export function validateAddressChanges(spec: ServiceSpec, old: ServiceSpec): readonly FieldError[] {
	if (!needsClusterIp(spec) || !needsClusterIp(old)) return [];
	const errors: FieldError[] = [];
	if (!isHeadless(spec) || !isHeadless(old)) errors.push(...validateClusterIpChange(spec, old));
	if (!isHeadless(spec) && !isHeadless(old)) errors.push(...validateFamilyChange(spec, old));
	return errors;
}

function validateClusterIpChange(
	{ clusterIPs = [], ipFamilyPolicy }: ServiceSpec,
	{ clusterIPs: before = [] }: ServiceSpec,
): readonly FieldError[] {
	const fixed = (path: FieldPath): FieldError => fieldInvalid(path, clusterIPs, FIXED);
	if (before.length === clusterIPs.length) {
		return before.flatMap((address, index) =>
			address === clusterIPs[index] ? [] : [fixed(ADDRESSES.index(index))],
		);
	}
	if (before.length > clusterIPs.length && clusterIPs.length === 0) {
		return [fieldInvalid(ADDRESSES.index(0), null, 'primary clusterIP can not be unset')];
	}
	const errors: FieldError[] = [];
	if (before.length > 0 && before[0] !== clusterIPs[0]) errors.push(fixed(ADDRESSES.index(0)));
	if (before.length < clusterIPs.length || ipFamilyPolicy === 'SingleStack') return errors;
	const text = "must be set to 'SingleStack' when releasing the secondary clusterIP";
	return [...errors, fieldInvalid(POLICY, ipFamilyPolicy ?? null, text)];
}

function validateFamilyChange(
	{ ipFamilies = [], ipFamilyPolicy, clusterIPs = [] }: ServiceSpec,
	{ ipFamilies: before = [] }: ServiceSpec,
): readonly FieldError[] {
	const first = FAMILIES.index(0);
	if (before.length === ipFamilies.length) {
		return before.flatMap((family, index) =>
			family === ipFamilies[index] ? [] : [fieldInvalid(first, ipFamilies, FIXED)],
		);
	}
	const errors: FieldError[] = [];
	const isReduced = before.length > ipFamilies.length;
	if (isReduced && clusterIPs.length === 0) {
		errors.push(fieldInvalid(first, ipFamilies, 'primary ipFamily can not be unset'));
	}
	// Upstream shows the addresses here.
	if (before.length > 0 && ipFamilies.length > 0 && ipFamilies[0] !== before[0]) {
		errors.push(fieldInvalid(first, clusterIPs, FIXED));
	}
	if (!isReduced || ipFamilies.length !== 1 || ipFamilyPolicy === 'SingleStack') return errors;
	const text = "must be set to 'SingleStack' when releasing the secondary ipFamily";
	return [...errors, fieldInvalid(POLICY, ipFamilyPolicy ?? null, text)];
}
