import type { Int64 } from '../../base/json/json.ts';
import { type Random, randomText } from '../../base/random.ts';

/**
 * Checks of the syntax of names, label keys and similar texts (upstream:
 * k8s.io/apimachinery/pkg/util/validation). A check returns upstream's error texts, none if the name is
 * valid. Lengths are in bytes, as upstream counts them. All valid names are ASCII, so the unit only affects
 * which errors an invalid one gets.
 */
export type NameCheck = (name: string) => readonly string[];

const DNS1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS1123_LABEL_TEXT =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const DNS1123_SUBDOMAIN = `${DNS1123_LABEL}(\\.${DNS1123_LABEL})*`;
const DNS1123_SUBDOMAIN_TEXT =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const LABEL_KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_KEY_TEXT =
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const LABEL_VALUE = `(${LABEL_KEY})?`;
const LABEL_VALUE_TEXT =
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const CONFIG_KEY_TEXT = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";

const dns1123LabelForm = whole(DNS1123_LABEL);
const dns1123SubdomainForm = whole(DNS1123_SUBDOMAIN);
const labelKeyForm = whole(LABEL_KEY);
const labelValueForm = whole(LABEL_VALUE);
const configKeyForm = whole(CONFIG_KEY);

const NO_ERRORS: readonly string[] = Object.freeze([]);

/** Maximum length of a DNS label, of a label value and of the name part of a label key. */
export const DNS1123_LABEL_MAX_LENGTH = 63;

/** Maximum length of the names of most kinds. */
export const DNS1123_SUBDOMAIN_MAX_LENGTH = 253;

/** Checks a DNS label (RFC 1123): `my-name`. */
export function dns1123Label(name: string): readonly string[] {
	if (name.length <= DNS1123_LABEL_MAX_LENGTH && dns1123LabelForm.test(name)) return NO_ERRORS;
	const errors: string[] = [];
	if (exceeds(name, DNS1123_LABEL_MAX_LENGTH)) errors.push(maxLengthText(DNS1123_LABEL_MAX_LENGTH));
	if (dns1123LabelForm.test(name)) return errors;
	if (dns1123SubdomainForm.test(name)) errors.push('must not contain dots');
	else errors.push(formText(DNS1123_LABEL_TEXT, DNS1123_LABEL, 'my-name', '123-abc'));
	return errors;
}

/** Checks a DNS subdomain (RFC 1123), the syntax of most kinds' names: `my.example.com`. */
export function dns1123Subdomain(name: string): readonly string[] {
	return subdomain(name, 'characters');
}

function subdomain(name: string, unit: LengthUnit): readonly string[] {
	if (name.length <= DNS1123_SUBDOMAIN_MAX_LENGTH && dns1123SubdomainForm.test(name)) return NO_ERRORS;
	const errors: string[] = [];
	if (exceeds(name, DNS1123_SUBDOMAIN_MAX_LENGTH)) {
		errors.push(maxLengthText(DNS1123_SUBDOMAIN_MAX_LENGTH, unit));
	}
	if (!dns1123SubdomainForm.test(name)) {
		errors.push(formText(DNS1123_SUBDOMAIN_TEXT, DNS1123_SUBDOMAIN, 'example.com'));
	}
	return errors;
}

/** Checks a label key, annotation key or finalizer: `name` or `example.com/name`. */
export function qualifiedName(key: string): readonly string[] {
	const parts = key.split('/');
	const [first = '', second] = parts;
	if (parts.length > 2) {
		const form = formText(LABEL_KEY_TEXT, LABEL_KEY, 'MyName', 'my.name', '123-abc');
		return [
			`a valid label key ${form} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
		];
	}
	const name = second ?? first;
	const prefixErrors = second === undefined ? NO_ERRORS : prefixPart(first);
	if (prefixErrors.length === 0 && name.length <= DNS1123_LABEL_MAX_LENGTH && labelKeyForm.test(name)) {
		return NO_ERRORS;
	}
	const errors = [...prefixErrors];
	if (name === '') errors.push(`name part ${EMPTY}`);
	else if (exceeds(name, DNS1123_LABEL_MAX_LENGTH)) {
		errors.push(`name part ${maxLengthText(DNS1123_LABEL_MAX_LENGTH, 'bytes')}`);
	}
	if (!labelKeyForm.test(name)) {
		errors.push(`name part ${formText(LABEL_KEY_TEXT, LABEL_KEY, 'MyName', 'my.name', '123-abc')}`);
	}
	return errors;
}

/** Checks a label value: empty, or at most 63 letters, digits, `-`, `_` and `.`. */
export function labelValue(value: string): readonly string[] {
	if (value.length <= DNS1123_LABEL_MAX_LENGTH && labelValueForm.test(value)) return NO_ERRORS;
	const errors: string[] = [];
	if (exceeds(value, DNS1123_LABEL_MAX_LENGTH)) {
		errors.push(maxLengthText(DNS1123_LABEL_MAX_LENGTH, 'bytes'));
	}
	if (!labelValueForm.test(value)) {
		errors.push(formText(LABEL_VALUE_TEXT, LABEL_VALUE, 'MyValue', 'my_value', '12345'));
	}
	return errors;
}

/** Checks a name that becomes a segment of a URL path: neither `.` nor `..`, without `/` and `%`. */
export function pathSegmentName(name: string): readonly string[] {
	if (name === '.' || name === '..') return [`may not be '${name}'`];
	return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}

/** Checks the name of an environment variable: printable ASCII characters except `=`. */
export function envVarName(name: string): readonly string[] {
	if (name === '') return [`environment variable name ${EMPTY}`];
	if (/^[ -<>-~]+$/.test(name)) return NO_ERRORS;
	return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** Checks a key of a ConfigMap or Secret, which can become a file name: so neither `.` nor `..`. */
export function configMapKey(key: string): readonly string[] {
	const errors: string[] = [];
	if (exceeds(key, DNS1123_SUBDOMAIN_MAX_LENGTH)) errors.push(maxLengthText(DNS1123_SUBDOMAIN_MAX_LENGTH));
	if (!configKeyForm.test(key)) {
		errors.push(formText(CONFIG_KEY_TEXT, CONFIG_KEY, 'key.name', 'KEY_NAME', 'key-name'));
	}
	if (key === '.') errors.push("must not be '.'");
	else if (key === '..') errors.push("must not be '..'");
	else if (key.startsWith('..')) errors.push("must not start with '..'");
	return errors;
}

/** Checks a port name: at most 15 lower-case letters, digits and `-`, with at least one letter. */
export function portName(name: string): readonly string[] {
	const errors: string[] = [];
	if (exceeds(name, 15)) errors.push(maxLengthText(15));
	if (!/^[-a-z0-9]+$/.test(name)) {
		errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
	}
	if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)');
	if (name.includes('--')) errors.push('must not contain consecutive hyphens');
	if (name.startsWith('-') || name.endsWith('-')) errors.push('must not begin or end with a hyphen');
	return errors;
}

/** Checks a port number: 1 to 65535. */
export function portNumber(port: number): readonly string[] {
	return inRange(port, 1, 65535);
}

/** Checks that a number is from `min` to `max`, both included. */
export function inRange(value: Int64, min: number, max: number): readonly string[] {
	return value >= min && value <= max ? NO_ERRORS : [`must be between ${min} and ${max}, inclusive`];
}

/**
 * A check for a generateName, which may end with a dash, as the server appends to it (upstream:
 * maskTrailingDash).
 */
export function asPrefix(check: NameCheck): NameCheck {
	// Upstream removes two characters for the one it appends. Kept, since it affects which prefixes are valid.
	return (name) => check(name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);
}

/**
 * Maximum length of the prefix from a generateName; with the suffix the name has 63 characters, a DNS label's
 * limit.
 */
export const MAX_GENERATED_PREFIX_LENGTH = 58;

/**
 * No vowels, so that no words arise, and none of 0, 1 and 3, which read as vowels (upstream: util/rand).
 */
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;

/** A name from a metadata.generateName, cut if it is too long, and five random characters. */
export function generateName(prefix: string, random: Random): string {
	return prefix.slice(0, MAX_GENERATED_PREFIX_LENGTH) + nameSuffix(random);
}

/** Five random characters, the suffix of generated names. */
export function nameSuffix(random: Random): string {
	return randomText(random, SUFFIX_ALPHABET, SUFFIX_LENGTH);
}

/** A number as text in the alphabet of generated names (upstream: SafeEncodeString of util/rand). */
export function safeText(value: number): string {
	// As upstream, a digit stands for the letter at its character code, not at its value.
	return String(value).replace(/\d/g, (digit) =>
		SUFFIX_ALPHABET.charAt(digit.charCodeAt(0) % SUFFIX_ALPHABET.length),
	);
}

/** The unit in an error text: upstream writes `bytes` for label keys and values, `characters` for names. */
export type LengthUnit = 'bytes' | 'characters';

/** The error text for a value of more than `max` bytes. */
export function maxLengthText(max: number, unit: LengthUnit = 'characters'): string {
	return `must be no more than ${max} ${unit}`;
}

/**
 * The error text for a value that does not match `form` (a regular expression), with examples of valid ones.
 */
export function formText(text: string, form: string, ...examples: readonly string[]): string {
	if (examples.length === 0) return `${text} (regex used for validation is '${form}')`;
	const shown = examples.map((example) => `'${example}', `).join(' or ');
	return `${text} (e.g. ${shown}regex used for validation is '${form}')`;
}

const EMPTY = 'must be non-empty';

function prefixPart(prefix: string): readonly string[] {
	const errors = prefix === '' ? [EMPTY] : subdomain(prefix, 'bytes');
	return errors.map((error) => `prefix part ${error}`);
}

function whole(form: string): RegExp {
	return new RegExp(`^(?:${form})$`);
}

/**
 * Whether the text has more than `maxBytes` bytes in UTF-8. A long text is decided by its length alone, in
 * constant time.
 */
export function exceeds(text: string, maxBytes: number): boolean {
	return text.length > maxBytes || utf8Length(text) > maxBytes;
}

/** The length of the text in bytes as UTF-8, without allocating an encoded copy. */
export function utf8Length(text: string): number {
	let length = text.length;
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		if (unit >= 0x80) length += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
	}
	return length;
}
