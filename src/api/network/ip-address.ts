/**
 * IP addresses and ranges of them in the fields of objects (upstream: k8s.io/apimachinery/pkg/util/validation/ip.go and
 * `ValidateEndpointIP` in pkg/apis/core/validation).
 *
 * 1. Values with leading zeros and IPv4-mapped IPv6 addresses are refused because parsers differ in what they make of
 *    them: some read a leading zero as octal.
 * 2. An IPv6 address that is valid but not in the form of RFC 5952 is accepted with a warning.
 */

import { quote } from '../../base/quote.ts';
import { fieldInvalid } from '../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../errors/field-path.ts';

const NONE: ReadonlySet<string> = new Set();

/** An IP address. */
export interface IpAddress {
	readonly family: 'IPv4' | 'IPv6';
	/** Its bytes: 4 or 16. */
	readonly bytes: readonly number[];
	/** The canonical text, as Go's netip prints it. */
	readonly text: string;
	/** Why the text is ambiguous, though it can be parsed; undefined if it is not. */
	readonly ambiguity?: 'leading zeros' | 'mapped';
}

/** A range of IP addresses. */
export interface IpRange {
	readonly address: IpAddress;
	/** Number of bits that all addresses of the range have in common. */
	readonly prefixLength: number;
}

/** The address in the text; undefined if it is malformed. An IPv4-mapped IPv6 address counts as IPv4, as in Go. */
export function parseIp(text: string): IpAddress | undefined {
	const octets = octetsOf(text);
	if (octets) {
		const hasZeros = octets.some((octet) => octet.length > 1 && octet.startsWith('0'));
		return ipv4(octets.map(Number), hasZeros ? 'leading zeros' : undefined);
	}
	const groups = groupsOf(text);
	if (!groups) return undefined;
	const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
	const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
	if (isMapped) return ipv4(bytes.slice(12), 'mapped');
	return { family: 'IPv6', bytes, text: ipv6Text(groups) };
}

/** The range in a text such as `10.0.0.0/8`; undefined if it is malformed. */
export function parseIpRange(text: string): IpRange | undefined {
	const [head = '', length, ...more] = text.split('/');
	const address = parseIp(head);
	if (!address || length === undefined || more.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
	const prefixLength = Number(length);
	const bits = address.ambiguity === 'mapped' ? 128 : address.bytes.length * 8;
	return prefixLength <= bits ? { address, prefixLength } : undefined;
}

/** The range as text, without the bits after its prefix. */
export function ipRangeText({ address, prefixLength }: IpRange): string {
	return `${masked(address, prefixLength).text}/${prefixLength}`;
}

/** The address with only the first `prefixLength` bits. */
export function masked(address: IpAddress, prefixLength: number): IpAddress {
	const bytes = address.bytes.map((byte, index) => {
		const kept = Math.min(8, Math.max(0, prefixLength - index * 8));
		return byte & (0xff << (8 - kept)) & 0xff;
	});
	return fromBytes(bytes);
}

/** Whether all addresses of `inner` are in `outer`. */
export function containsRange(outer: IpRange, inner: IpRange): boolean {
	return outer.prefixLength <= inner.prefixLength && hasPrefix(inner.address, outer);
}

/**
 * Whether the range has the address for an object: the address of the network is for none, and neither is the last one of an
 * IPv4 range (upstream: `PrefixContainsIP` in pkg/api/servicecidr).
 */
export function offersAddress(range: IpRange, address: IpAddress): boolean {
	if (!hasPrefix(address, range)) return false;
	const { bytes, family, text } = address;
	if (masked(address, range.prefixLength).text === text) return false;
	return family === 'IPv6' || !bytes.every((byte, index) => isAllOnes(byte, range.prefixLength - index * 8));
}

function hasPrefix(address: IpAddress, { address: network, prefixLength }: IpRange): boolean {
	const isSameFamily = address.family === network.family;
	return isSameFamily && masked(address, prefixLength).text === masked(network, prefixLength).text;
}

/** Whether the bits of the byte after the first `kept` are ones. */
function isAllOnes(byte: number, kept: number): boolean {
	const host = 0xff >> Math.min(8, Math.max(0, kept));
	return (byte & host) === host;
}

/** Validates an IPv4 or IPv6 address (upstream: `IsValidIPForLegacyField`). Values in `known` are always valid. */
export function validateIp(
	text: string,
	path: FieldPath,
	known: ReadonlySet<string> = NONE,
): readonly FieldError[] {
	return known.has(text) ? [] : invalidIf(ipProblem(text), text, path);
}

/** As {@link validateIp}, and requires the canonical text (upstream: `IsValidIP`). */
export function validateCanonicalIp(text: string, path: FieldPath): readonly FieldError[] {
	return invalidIf(canonicalIpProblem(text), text, path);
}

/** Why the text is not an address in canonical form; undefined if it is one. */
export function canonicalIpProblem(text: string): string | undefined {
	const canonical = parseIp(text)?.text ?? '';
	return ipProblem(text) ?? (canonical === text ? undefined : notCanonical(canonical));
}

function ipProblem(text: string): string | undefined {
	const address = parseIp(text);
	if (!address) return 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
	if (address.ambiguity === 'leading zeros') return 'must not have leading 0s';
	return address.ambiguity && 'must not be an IPv4-mapped IPv6 address';
}

function notCanonical(canonical: string): string {
	return `must be in canonical form (${quote(canonical)})`;
}

function invalidIf(problem: string | undefined, text: string, path: FieldPath): readonly FieldError[] {
	return problem === undefined ? [] : [fieldInvalid(path, text, problem)];
}

/**
 * Refuses the addresses that lead to no endpoint in a network (upstream: `ValidateEndpointIP`). `allowsLoopback`: upstream
 * refuses loopback addresses always. Here the Pods of a node without networks of their own have the address 127.0.0.1,
 * so Endpoints and EndpointSlices must be able to hold it.
 */
export function validateEndpointIp(
	text: string,
	path: FieldPath,
	{ allowsLoopback }: { readonly allowsLoopback: boolean },
): readonly FieldError[] {
	const address = parseIp(text);
	if (!address) return [fieldInvalid(path, text, 'must be a valid IP address')];
	const { bytes, family } = address;
	const [first = 0, second = 0, third = 0] = bytes;
	const refuse = (detail: string): readonly FieldError[] => [fieldInvalid(path, text, detail)];
	if (bytes.every((byte) => byte === 0)) return refuse(`may not be unspecified (${text})`);
	if (isLoopback(address)) {
		return allowsLoopback ? [] : refuse('may not be in the loopback range (127.0.0.0/8, ::1/128)');
	}
	const isLinkLocal =
		family === 'IPv4' ? first === 169 && second === 254 : first === 0xfe && (second & 0xc0) === 0x80;
	if (isLinkLocal) return refuse('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
	const isLocalMulticast =
		family === 'IPv4'
			? first === 224 && second === 0 && third === 0
			: first === 0xff && (second & 0x0f) === 0x02;
	if (!isLocalMulticast) return [];
	return refuse('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
}

/** Whether the address is in 127.0.0.0/8, or is ::1. */
export function isLoopback({ family, bytes }: IpAddress): boolean {
	if (family === 'IPv4') return bytes[0] === 127;
	return bytes.every((byte, index) => byte === (index === 15 ? 1 : 0));
}

/** Validates a range of addresses (upstream: `IsValidCIDRForLegacyField`). Values in `known` are always valid. */
export function validateIpRange(
	text: string,
	path: FieldPath,
	known: ReadonlySet<string> = NONE,
): readonly FieldError[] {
	if (known.has(text)) return [];
	const range = parseIpRange(text);
	if (!range) {
		return [fieldInvalid(path, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')];
	}
	const { address, prefixLength } = range;
	if (address.ambiguity === 'leading zeros' || /\/0\d/.test(text)) {
		return [fieldInvalid(path, text, 'must not have leading 0s in IP or prefix length')];
	}
	if (address.ambiguity) return [fieldInvalid(path, text, 'must not have an IPv4-mapped IPv6 address')];
	if (masked(address, prefixLength).text === address.text) return [];
	return [fieldInvalid(path, text, 'must not have bits set beyond the prefix length')];
}

/** As {@link validateIpRange}, and requires the canonical text (upstream: `IsValidCIDR`). */
export function validateCanonicalIpRange(text: string, path: FieldPath): readonly FieldError[] {
	const errors = validateIpRange(text, path);
	const range = parseIpRange(text);
	if (errors.length > 0 || !range) return errors;
	const canonical = ipRangeText(range);
	return canonical === text ? [] : invalidIf(notCanonical(canonical), text, path);
}

/** The warnings about an address in a form that others may not understand (upstream: `GetWarningsForIP`). */
export function ipWarnings(text: string, path: FieldPath): readonly string[] {
	const address = parseIp(text);
	if (!address || text === address.text) return [];
	if (address.ambiguity) {
		return [`${path.text}: non-standard IP address ${quote(text)} is invalid: use ${quote(address.text)}`];
	}
	const canonical = `should be in RFC 5952 canonical format (${quote(address.text)})`;
	return [`${path.text}: IPv6 address ${quote(text)} ${canonical}`];
}

/** The same for a range of addresses (upstream: `GetWarningsForCIDR`). */
export function ipRangeWarnings(text: string, path: FieldPath): readonly string[] {
	const range = parseIpRange(text);
	if (!range) return [];
	const { address } = range;
	const canonical = ipRangeText(range);
	const warnings: string[] = [];
	if (masked(address, range.prefixLength).text !== address.text) {
		const single = `${address.text}/${address.bytes.length * 8}`;
		warnings.push(
			`${path.text}: CIDR value ${quote(text)} is ambiguous in this context (should be ${quote(canonical)} or ${quote(single)}?)`,
		);
	}
	if (address.ambiguity || /\/0\d/.test(text)) {
		warnings.push(`${path.text}: non-standard CIDR value ${quote(text)} is invalid: use ${quote(canonical)}`);
	}
	if (warnings.length > 0 || text === canonical) return warnings;
	const form = `should be in RFC 5952 canonical format (${quote(canonical)})`;
	return [`${path.text}: IPv6 CIDR value ${quote(text)} ${form}`];
}

function fromBytes(bytes: readonly number[]): IpAddress {
	if (bytes.length === 4) return ipv4(bytes, undefined);
	const groups: number[] = [];
	for (let i = 0; i < bytes.length; i += 2) groups.push((bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0));
	return { family: 'IPv6', bytes, text: ipv6Text(groups) };
}

function ipv4(bytes: readonly number[], ambiguity: IpAddress['ambiguity']): IpAddress {
	return { family: 'IPv4', bytes, text: bytes.join('.'), ...(ambiguity && { ambiguity }) };
}

/** The form of RFC 5952: the longest run of at least two zeros is left out, the first one of several. */
function ipv6Text(groups: readonly number[]): string {
	let start = -1;
	let length = 1;
	for (let i = 0; i < groups.length; i++) {
		let end = i;
		while (groups[end] === 0) end += 1;
		if (end - i <= length) continue;
		start = i;
		length = end - i;
	}
	const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
	if (start < 0) return hex(groups);
	return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** The four parts of an IPv4 address as text, so that the caller can check for leading zeros. */
function octetsOf(address: string): readonly string[] | undefined {
	const octets = address.split('.', 5);
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
