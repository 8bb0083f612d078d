/** Validation of a Pod's DNS settings and host aliases. */

import { fieldInvalid, fieldRequired, malformed } from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import {
	DNS1123_SUBDOMAIN_MAX_LENGTH,
	dns1123Subdomain,
	formText,
	maxLengthText,
} from '../../../meta/names.ts';
import { validateIp } from '../../../network/ip-address.ts';
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
	errors.push(...nameservers.flatMap((address, index) => validateIp(address, servers.index(index))));
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
			...validateIp(ip, at.child('ip')),
			...hostnames.flatMap((name, number) =>
				malformed(at.child('hostnames').index(number), name, dns1123Subdomain(name)),
			),
		];
	});
}
