/** Validation of a Pod's DNS settings and host aliases, and of IP addresses. */

import { fieldInvalid, fieldRequired, malformed } from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import {
	DNS1123_SUBDOMAIN_MAX_LENGTH,
	dns1123Subdomain,
	formText,
	maxLengthText,
} from '../../../meta/names.ts';
import type { PodSpec } from '../schema/spec.ts';

/** Upstream's limits. The resolver of the C library uses only the first three name servers. */
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_LIST_LENGTH = 2048;

/** Validates dnsConfig, which dnsPolicy None requires (upstream: `validatePodDNSConfig`). */
export function validateDnsConfig({ dnsConfig, dnsPolicy }: PodSpec, path: FieldPath): readonly FieldError[] {
	const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
	// Without servers the Pod could resolve nothing. Upstream then reports only this error.
	if (dnsPolicy === 'None') {
		if (!dnsConfig) return [fieldRequired(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
		if (nameservers.length === 0) {
			const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
			return [fieldRequired(path.child('nameservers'), detail)];
		}
	}
	const errors: FieldError[] = [];
	const servers = path.child('nameservers');
	if (nameservers.length > MAX_NAMESERVERS) {
		errors.push(fieldInvalid(servers, nameservers, `must not have more than ${MAX_NAMESERVERS} nameservers`));
	}
	errors.push(...nameservers.flatMap((address, index) => validateAddress(address, servers.index(index))));
	const list = path.child('searches');
	if (searches.length > MAX_SEARCHES) {
		errors.push(fieldInvalid(list, searches, `must not have more than ${MAX_SEARCHES} search paths`));
	}
	if (searches.join(' ').length > MAX_SEARCH_LIST_LENGTH) {
		const detail = `must not have more than ${MAX_SEARCH_LIST_LENGTH} characters (including spaces) in the search list`;
		errors.push(fieldInvalid(list, searches, detail));
	}
	for (const [index, search] of searches.entries()) {
		// A single dot means: no search at all. A dot at the end is allowed, since it makes the name absolute.
		if (search !== '.') errors.push(...validateSearch(search.replace(/\.$/, ''), list.index(index)));
	}
	for (const [index, { name = '' }] of options.entries()) {
		if (name === '') errors.push(fieldRequired(path.child('options').index(index), 'must not be empty'));
	}
	return errors;
}

/** Upstream: `IsDNS1123SubdomainWithUnderscore`. Active Directory and other zones have labels that begin with one. */
const SEARCH_LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SEARCH = `${SEARCH_LABEL}(\\.${SEARCH_LABEL})*`;
const SEARCH_TEXT =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";
const searchForm = new RegExp(`^${SEARCH}$`);

/** Requires a DNS subdomain whose labels may also contain underscores. */
function validateSearch(name: string, path: FieldPath): readonly FieldError[] {
	const problems: string[] = [];
	if (name.length > DNS1123_SUBDOMAIN_MAX_LENGTH) problems.push(maxLengthText(DNS1123_SUBDOMAIN_MAX_LENGTH));
	if (!searchForm.test(name)) problems.push(formText(SEARCH_TEXT, SEARCH, 'example.com'));
	return malformed(path, name, problems);
}

/** Validates host aliases (upstream: `ValidateHostAliases`). */
export function validateHostAliases(
	aliases: NonNullable<PodSpec['hostAliases']>,
	path: FieldPath,
): readonly FieldError[] {
	return aliases.flatMap(({ ip, hostnames = [] }, index) => {
		const at = path.index(index);
		return [
			...validateAddress(ip, at.child('ip')),
			...hostnames.flatMap((name, number) =>
				malformed(at.child('hostnames').index(number), name, dns1123Subdomain(name)),
			),
		];
	});
}

/**
 * Validates an IPv4 or IPv6 address. Leading zeros and IPv4-mapped IPv6 addresses are refused because parsers
 * differ in what they make of them: some read a leading zero as octal (upstream: `IsValidIP`).
 */
export function validateAddress(address: string, path: FieldPath): readonly FieldError[] {
	const octets = octetsOf(address);
	if (octets) {
		const ambiguous = octets.some((octet) => octet.length > 1 && octet.startsWith('0'));
		return ambiguous ? [fieldInvalid(path, address, 'must not have leading 0s')] : [];
	}
	const groups = groupsOf(address);
	if (!groups) {
		const detail = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
		return [fieldInvalid(path, address, detail)];
	}
	const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
	return mapped ? [fieldInvalid(path, address, 'must not be an IPv4-mapped IPv6 address')] : [];
}

/** The four parts of an IPv4 address as text, so that the caller can check for leading zeros. */
function octetsOf(address: string): readonly string[] | undefined {
	const octets = address.split('.');
	const sound =
		octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255);
	return sound ? octets : undefined;
}

/**
 * The eight numbers of an IPv6 address, of which the last two can be written as an IPv4 address; else
 * undefined.
 */
function groupsOf(address: string): readonly number[] | undefined {
	const [head = '', tail, ...more] = address.split('::');
	if (more.length > 0) return undefined;
	const before = partsOf(head);
	const after = partsOf(tail ?? '');
	if (!before || !after) return undefined;
	const missing = 8 - before.length - after.length;
	if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
	return [...before, ...new Array<number>(missing).fill(0), ...after];
}

/** The numbers of a part of an IPv6 address between double colons; undefined if it is malformed. */
function partsOf(text: string): readonly number[] | undefined {
	if (text === '') return [];
	const parts = text.split(':');
	const octets = octetsOf(parts.at(-1) ?? '')?.map(Number);
	const plain = octets ? parts.slice(0, -1) : parts;
	if (!plain.every((part) => /^[\da-f]{1,4}$/i.test(part))) return undefined;
	const numbers = plain.map((part) => Number.parseInt(part, 16));
	if (!octets) return numbers;
	const [a = 0, b = 0, c = 0, d = 0] = octets;
	return [...numbers, a * 256 + b, c * 256 + d];
}
