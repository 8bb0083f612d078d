import { bytesInBase64, textOfBase64 } from '../../../base/base64.ts';
import { isRecord } from '../../../base/json/json.ts';
import { JsonLimitError, JsonSyntaxError, readJson } from '../../../base/json/json-reader.ts';
import { fieldInvalid, fieldRequired, malformed, tooLong } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../errors/field-path.ts';
import { configMapKey, dns1123Subdomain } from '../../meta/names.ts';
import { validateMeta } from '../../meta/validate-meta.ts';
import { jsonKind } from '../../schema/decode-trail.ts';
import { MAX_DATA_BYTES } from '../configmap/definition.ts';
import type { Secret } from './schema.ts';

const META = new FieldPath('metadata');
const DATA = new FieldPath('data');
const RULES = { namespaced: true, name: dns1123Subdomain };

/** The annotation that names the ServiceAccount of a Secret of type `kubernetes.io/service-account-token`. */
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';

/**
 * The errors of a Secret (upstream: `ValidateSecret` in pkg/apis/core/validation). No message shows a value
 * of `data`.
 */
export function validateSecret(secret: Secret): readonly FieldError[] {
	const { metadata, data = {}, type = '' } = secret;
	const errors: FieldError[] = [...validateMeta(metadata, RULES, META)];
	let sizeBytes = 0;
	for (const [key, value] of Object.entries(data)) {
		errors.push(...malformed(DATA.key(key), key, configMapKey(key)));
		sizeBytes += bytesInBase64(value);
	}
	if (sizeBytes > MAX_DATA_BYTES) errors.push(tooLong(DATA, MAX_DATA_BYTES));
	const validate = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
	if (validate) errors.push(...validate(secret));
	return errors;
}

/** What each type requires besides. Other types, such as Opaque and those of users, require nothing. */
const TYPES: Readonly<Record<string, (secret: Secret) => readonly FieldError[]>> = {
	// The token itself may be added later, by a controller.
	'kubernetes.io/service-account-token': ({ metadata }) =>
		metadata.annotations?.[ACCOUNT_NAME] ? [] : [fieldRequired(META.child('annotations').key(ACCOUNT_NAME))],
	'kubernetes.io/dockercfg': (secret) => jsonErrors(secret, '.dockercfg'),
	'kubernetes.io/dockerconfigjson': (secret) => jsonErrors(secret, '.dockerconfigjson'),
	// An empty user name or password is valid, and one of the two keys suffices.
	'kubernetes.io/basic-auth': (secret) => {
		const missing = missingKeys(secret, ['username', 'password']);
		return missing.length === 2 ? missing.map((key) => fieldRequired(DATA.key(key))) : [];
	},
	'kubernetes.io/ssh-auth': ({ data }) =>
		data?.['ssh-privatekey'] ? [] : [fieldRequired(DATA.key('ssh-privatekey'))],
	'kubernetes.io/tls': (secret) =>
		missingKeys(secret, ['tls.crt', 'tls.key']).map((key) => fieldRequired(DATA.key(key))),
};

function missingKeys({ data = {} }: Secret, keys: readonly string[]): readonly string[] {
	return keys.filter((key) => !Object.hasOwn(data, key));
}

/** The value at `key` must be a JSON object, such as the configuration file of a container engine. */
function jsonErrors({ data = {} }: Secret, key: string): readonly FieldError[] {
	const value = Object.hasOwn(data, key) ? data[key] : undefined;
	const path = DATA.key(key);
	if (value === undefined) return [fieldRequired(path)];
	const problem = problemOfJson(textOfBase64(value));
	return problem === undefined ? [] : [fieldInvalid(path, '<secret contents redacted>', problem)];
}

/** Why Go cannot read the text into a map; undefined if it can. */
function problemOfJson(text: string): string | undefined {
	try {
		const { value } = readJson(text, LIMITS);
		if (value === null || isRecord(value)) return undefined;
		return `json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`;
	} catch (error) {
		if (error instanceof JsonSyntaxError || error instanceof JsonLimitError) return error.message;
		throw error;
	}
}

/** Go's limit on the depth; upstream does not limit the number of values, which bounds the time here. */
const LIMITS = { values: 50_000, depth: 10_000 };
