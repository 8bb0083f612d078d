import type { Int64 } from '../../base/json.ts';
import { type Random, randomText } from '../../base/random.ts';

/**
 * The forms that names, label keys and their like must have. Every check returns what is wrong in
 * upstream's words, nothing when all is well. Lengths are counted in bytes, as upstream does; since
 * all forms are ASCII this only matters for the message of a name that is refused anyhow.
 */
export type NameCheck = (name: string) => readonly string[];

const DNS1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS1123_LABEL_TEXT =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const DNS1123_SUBDOMAIN = `${DNS1123_LABEL}(\\.${DNS1123_LABEL})*`;
const DNS1123_SUBDOMAIN_TEXT =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const DNS1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const DNS1035_LABEL_TEXT =
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
const LABEL_KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_KEY_TEXT =
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const LABEL_VALUE = `(${LABEL_KEY})?`;
const LABEL_VALUE_TEXT =
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const CONFIG_KEY_TEXT = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*';
const C_IDENTIFIER_TEXT =
	"a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";

const dns1123LabelForm = whole(DNS1123_LABEL);
const dns1123SubdomainForm = whole(DNS1123_SUBDOMAIN);
const dns1035LabelForm = whole(DNS1035_LABEL);
const labelKeyForm = whole(LABEL_KEY);
const labelValueForm = whole(LABEL_VALUE);
const configKeyForm = whole(CONFIG_KEY);
const cIdentifierForm = whole(C_IDENTIFIER);

const NO_ERRORS: readonly string[] = Object.freeze([]);

/** Longest DNS label, label value and name part of a label key. */
export const DNS1123_LABEL_MAX_LENGTH = 63;

/** Longest name of most objects. */
export const DNS1123_SUBDOMAIN_MAX_LENGTH = 253;

/** A label of a DNS name, RFC 1123: `my-name`. */
export function dns1123Label(name: string): readonly string[] {
	if (name.length <= DNS1123_LABEL_MAX_LENGTH && dns1123LabelForm.test(name)) return NO_ERRORS;
	const errors: string[] = [];
	if (exceeds(name, DNS1123_LABEL_MAX_LENGTH)) errors.push(maxLengthText(DNS1123_LABEL_MAX_LENGTH));
	if (dns1123LabelForm.test(name)) return errors;
	if (dns1123SubdomainForm.test(name)) errors.push('must not contain dots');
	else errors.push(formText(DNS1123_LABEL_TEXT, DNS1123_LABEL, 'my-name', '123-abc'));
	return errors;
}

/** A DNS name, RFC 1123: `my.example.com`; what most objects' names are. */
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

/** A label of a DNS name, RFC 1035: begins with a letter. */
export function dns1035Label(name: string): readonly string[] {
	const errors: string[] = [];
	if (exceeds(name, DNS1123_LABEL_MAX_LENGTH)) errors.push(maxLengthText(DNS1123_LABEL_MAX_LENGTH));
	if (!dns1035LabelForm.test(name)) {
		errors.push(formText(DNS1035_LABEL_TEXT, DNS1035_LABEL, 'my-name', 'abc-123'));
	}
	return errors;
}

/** A label key, also the form of annotation keys and finalizers: `name` or `example.com/name`. */
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

/** A label's value: empty, or at most 63 of letters, digits, `-`, `_`, `.`. */
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

/** The name of an environment variable: any printable ASCII but `=`. */
export function envVarName(name: string): readonly string[] {
	if (name === '') return [`environment variable name ${EMPTY}`];
	if (/^[ -<>-~]+$/.test(name)) return NO_ERRORS;
	return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** A key of a ConfigMap or Secret. */
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

/** An identifier of the C language. */
export function cIdentifier(name: string): readonly string[] {
	if (cIdentifierForm.test(name)) return NO_ERRORS;
	return [formText(C_IDENTIFIER_TEXT, C_IDENTIFIER, 'my_name', 'MY_NAME', 'MyName')];
}

/** The name of a port: at most 15 of lower-case letters, digits and `-`, with at least one letter. */
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

/** The number of a port: 1 to 65535. */
export function portNumber(port: number): readonly string[] {
	return inRange(port, 1, 65535);
}

/** A number from `min` to `max`. */
export function inRange(value: Int64, min: number, max: number): readonly string[] {
	return value >= min && value <= max ? NO_ERRORS : [`must be between ${min} and ${max}, inclusive`];
}

/** A prefix of a name to be completed may end in a dash: `check` looks at it as if it did not. */
export function asPrefix(check: NameCheck): NameCheck {
	// Upstream drops two characters for the one it adds; kept, since it shows in what is accepted.
	return (name) => check(name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);
}

/** The longest prefix that is kept of a generateName; the suffix brings the name to 63 characters. */
export const MAX_GENERATED_PREFIX_LENGTH = 58;

/** Without vowels and what looks alike, so that no words arise. */
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;

/** A name made of the prefix in metadata.generateName, cut where it is too long, and five characters by chance. */
export function generateName(prefix: string, random: Random): string {
	return prefix.slice(0, MAX_GENERATED_PREFIX_LENGTH) + nameSuffix(random);
}

/** Five characters by chance, as they end generated names. */
export function nameSuffix(random: Random): string {
	return randomText(random, SUFFIX_ALPHABET, SUFFIX_LENGTH);
}

/** How a text names its length: upstream says `bytes` of label keys and values, `characters` of names. */
export type LengthUnit = 'bytes' | 'characters';

/** The text for a value that is longer than `max` bytes. */
export function maxLengthText(max: number, unit: LengthUnit = 'characters'): string {
	return `must be no more than ${max} ${unit}`;
}

/** The text for a value without the form `form` (a regular expression), with examples of right ones. */
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

/** Whether the text takes more bytes than that as UTF-8. Of a long one not every character is looked at. */
export function exceeds(text: string, maxBytes: number): boolean {
	return text.length > maxBytes || utf8Length(text) > maxBytes;
}

/** Length in bytes as UTF-8. */
export function utf8Length(text: string): number {
	let length = text.length;
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		if (unit >= 0x80) length += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
	}
	return length;
}
