import type { Secret } from '../../api/core/secret/schema.ts';
import type { ServiceAccount } from '../../api/core/serviceaccount/schema.ts';
import { annotationLines, labelLines } from './lines.ts';

/**
 * The lines of a ServiceAccount. `secrets` are those of its namespace; undefined if they could not be listed,
 * and then none is reported as missing.
 */
export function serviceAccountLines(
	account: ServiceAccount,
	secrets: readonly Secret[] | undefined,
): readonly string[] {
	const { metadata } = account;
	const existing = secrets && new Set(secrets.map(({ metadata: { name } }) => name));
	const shown = ({ name = '' }: { readonly name?: string }): string =>
		existing && !existing.has(name) ? `${name} (not found)` : name;
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		...nameLines('Image pull secrets:', (account.imagePullSecrets ?? []).map(shown)),
		...nameLines('Mountable secrets: ', (account.secrets ?? []).map(shown)),
		...nameLines('Tokens:            ', tokensOf(account, secrets ?? [])),
	];
}

/** The Secrets that hold a token of this account, and not of an earlier one with its name. */
function tokensOf({ metadata }: ServiceAccount, secrets: readonly Secret[]): readonly string[] {
	const { name, uid } = metadata;
	return secrets.flatMap(({ type, metadata: { name: secret = '', annotations } }) => {
		if (type !== 'kubernetes.io/service-account-token') return [];
		const isOwn =
			annotations?.['kubernetes.io/service-account.name'] === name &&
			annotations?.['kubernetes.io/service-account.uid'] === uid;
		return isOwn ? [secret] : [];
	});
}

/** Names below each other. As in kubectl, all headers have the same width. */
function nameLines(header: string, names: readonly string[]): readonly string[] {
	const [first = '<none>', ...rest] = names;
	return [`${header}\t${first}`, ...rest.map((name) => `${' '.repeat(header.length)}\t${name}`)];
}
