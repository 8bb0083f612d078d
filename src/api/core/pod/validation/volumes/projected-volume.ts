/**
 * Validation of projected volumes, whose files come from several sources (upstream: `validateProjectionSources`).
 * Names of signers and ClusterTrustBundles follow pkg/apis/core/validation/names.go.
 */

import { quote } from '../../../../../base/quote.ts';
import {
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	notSupported,
	tooLong,
} from '../../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../../errors/field-path.ts';
import {
	DNS1123_LABEL_MAX_LENGTH,
	DNS1123_SUBDOMAIN_MAX_LENGTH,
	dns1123Label,
	dns1123Subdomain,
	exceeds,
	qualifiedName,
} from '../../../../meta/names.ts';
import { validateLabelSelector } from '../../../../meta/selector.ts';
import { validateAnnotationsSize } from '../../../../meta/validate-meta.ts';
import type { VolumeProjection } from '../../schema/projected-volume.ts';
import type { Volume } from '../../schema/volume.ts';
import { validateFileInVolume } from '../path.ts';
import { validateDownwardFile, validateItems, validateMode } from './volume-files.ts';

/** The errors of a projected volume at `path`. */
export function validateProjected(
	{ defaultMode, sources = [] }: NonNullable<Volume['projected']>,
	path: FieldPath,
): readonly FieldError[] {
	const errors = [...validateMode(defaultMode, path.child('defaultMode'))];
	// Two sources must not write the same file: which one wins would depend on their order.
	const taken = new Set<string>();
	for (const [index, source] of sources.entries()) {
		const at = path.child('sources').index(index);
		errors.push(...validateProjection(source, at, path));
		for (const { file, shown } of filesOf(source)) {
			if (taken.has(file)) errors.push(fieldInvalid(path, shown, 'conflicting duplicate paths'));
			taken.add(file);
		}
		if (Object.values(source).filter((each) => each !== undefined).length > 1) {
			errors.push(fieldForbidden(at, 'may not specify more than 1 volume type per source'));
		}
	}
	return errors;
}

/**
 * Validates one source, at `path`. `volume` is the path of the whole volume: upstream reports some errors
 * there.
 */
function validateProjection(
	source: VolumeProjection,
	path: FieldPath,
	volume: FieldPath,
): readonly FieldError[] {
	const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source;
	const errors: FieldError[] = [];
	for (const [field, object] of Object.entries({ secret, configMap })) {
		if (!object) continue;
		if (!object.name) errors.push(fieldRequired(path.child(field, 'name')));
		errors.push(...validateItems(object.items ?? [], path.child(field, 'items')));
	}
	for (const file of downwardAPI?.items ?? []) {
		errors.push(...validateDownwardFile(file, path.child('downwardAPI')));
	}
	if (serviceAccountToken)
		errors.push(...validateToken(serviceAccountToken, path.child('serviceAccountToken'), volume));
	if (clusterTrustBundle)
		errors.push(...validateTrustBundle(clusterTrustBundle, path.child('clusterTrustBundle')));
	if (podCertificate) errors.push(...validateCertificate(podCertificate, path.child('podCertificate')));
	return errors;
}

/** Upstream reports the path of the token at the path of the volume, and so without the source's index. */
type Token = NonNullable<VolumeProjection['serviceAccountToken']>;

function validateToken(token: Token, path: FieldPath, volume: FieldPath): readonly FieldError[] {
	const { expirationSeconds: seconds = 0 } = token;
	const at = path.child('expirationSeconds');
	const errors: FieldError[] = [];
	if (seconds < 600)
		errors.push(fieldInvalid(at, seconds, 'may not specify a duration less than 10 minutes'));
	if (seconds > 2 ** 32)
		errors.push(fieldInvalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'));
	if (token.path === '') return [...errors, fieldRequired(volume.child('path'))];
	return [...errors, ...validateFileInVolume(token.path, volume.child('path'))];
}

type TrustBundle = NonNullable<VolumeProjection['clusterTrustBundle']>;

/** The bundles are chosen either by the name of one, or by a signer and a selector among its bundles. */
function validateTrustBundle(bundle: TrustBundle, path: FieldPath): readonly FieldError[] {
	return [
		...validateBundleChoice(bundle, path),
		...(bundle.path === '' ? [fieldRequired(path.child('path'))] : []),
		...validateFileInVolume(bundle.path, path.child('path')),
	];
}

/** The order of the cases is upstream's. An empty name counts as given, since the field is a pointer there. */
function validateBundleChoice(bundle: TrustBundle, path: FieldPath): readonly FieldError[] {
	const { name, signerName, labelSelector } = bundle;
	if (name !== undefined && signerName !== undefined)
		return [fieldInvalid(path, inGo(bundle), 'only one of name and signerName may be used')];
	if (name !== undefined) {
		const at = path.child('name');
		const selector = path.child('labelSelector');
		return [
			...(name === '' ? [fieldRequired(at, 'must be a valid object name')] : []),
			...bundleNameProblems(name).map((problem) =>
				fieldInvalid(at, name, `not a valid clustertrustbundlename: ${problem}`),
			),
			...(labelSelector
				? [fieldInvalid(selector, labelSelector, 'labelSelector must be unset if name is specified')]
				: []),
		];
	}
	if (signerName === undefined) return [fieldRequired(path, 'either name or signerName must be specified')];
	const at = path.child('signerName');
	return [
		...(signerName === '' ? [fieldRequired(at, 'must be a valid signer name')] : []),
		...validateSignerName(signerName, at),
		...validateLabelSelector(labelSelector, path.child('labelSelector')),
	];
}

/** The bundle as upstream's error shows it: with the names of the fields in Go, which has no JSON names for it. */
function inGo({ name, signerName, labelSelector, optional, path }: TrustBundle): object {
	return {
		Name: name,
		SignerName: signerName,
		LabelSelector: labelSelector ?? null,
		Optional: optional ?? null,
		Path: path,
		User: null,
	};
}

/** A bundle of a signer `example.com/foo` is named `example.com:foo:<name>` (`ValidateClusterTrustBundleName`). */
function bundleNameProblems(name: string): readonly string[] {
	const colon = name.lastIndexOf(':');
	if (colon < 0) return dns1123Subdomain(name);
	const signerName = name.slice(0, colon).replaceAll(':', '/');
	if (signerName === '') return ['ClusterTrustBundle without signer name must not have ":" in its name'];
	const prefix = `${signerName.replaceAll('/', ':')}:`;
	if (!name.startsWith(prefix))
		return [`ClusterTrustBundle for signerName ${signerName} must be named with prefix ${prefix}`];
	return dns1123Subdomain(name.slice(prefix.length));
}

/** `<domain>/<namespace>.<name>` in bytes: the longest domain, label and subdomain, with a slash and a dot. */
const MAX_SIGNER_NAME = 2 * DNS1123_SUBDOMAIN_MAX_LENGTH + DNS1123_LABEL_MAX_LENGTH + 2;

/** The errors of the name of a signer: `example.com/name` (`ValidateSignerName`). */
function validateSignerName(signerName: string, path: FieldPath): readonly FieldError[] {
	if (signerName === '') return [fieldRequired(path)];
	const [domain = '', name = '', ...others] = signerName.split('/');
	if (!signerName.includes('/') || others.length > 0) {
		const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
		return [fieldInvalid(path, signerName, detail)];
	}
	const labels = domain.split('.');
	const errors: FieldError[] = [];
	if (exceeds(domain, DNS1123_SUBDOMAIN_MAX_LENGTH)) errors.push(tooLong(path, DNS1123_SUBDOMAIN_MAX_LENGTH));
	errors.push(...firstProblems(labels, dns1123Label).map((text) => fieldInvalid(path, domain, text)));
	if (labels.length < 2) {
		const detail = 'should be a domain with at least two segments separated by dots';
		errors.push(fieldInvalid(path, domain, detail));
	}
	const problems = firstProblems(name.split('.'), dns1123Subdomain);
	errors.push(...problems.map((text) => fieldInvalid(path, name, text)));
	if (exceeds(signerName, MAX_SIGNER_NAME)) errors.push(tooLong(path, MAX_SIGNER_NAME));
	return errors;
}

/** What is wrong with the first label that is not valid: the same about others would only repeat it. */
function firstProblems(
	labels: readonly string[],
	check: (label: string) => readonly string[],
): readonly string[] {
	for (const label of labels) {
		const problems = check(label);
		if (problems.length > 0) return problems.map((problem) => `validating label ${quote(label)}: ${problem}`);
	}
	return [];
}

/** Stable since 1.37, as trust bundles are. */
type Certificate = NonNullable<VolumeProjection['podCertificate']>;

/** In the order of upstream's error. */
const KEY_TYPES = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519'];
const CERTIFICATE_PATHS = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const;

/**
 * The kubelet requests the certificate in the Pod's name, so what is wrong with the request is found here. A key and
 * its certificate may be written to one file or to two.
 */
function validateCertificate(certificate: Certificate, path: FieldPath): readonly FieldError[] {
	const { signerName = '', keyType = '', userAnnotations = {} } = certificate;
	const paths = CERTIFICATE_PATHS.filter((field) => certificate[field]);
	const missing = 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath';
	return [
		...validateSignerName(signerName, path.child('signerName')),
		...validateUserAnnotations(userAnnotations, path.child('userAnnotations')),
		...(KEY_TYPES.includes(keyType) ? [] : [notSupported(path.child('keyType'), keyType, KEY_TYPES)]),
		...validateLifetime(certificate, path.child('maxExpirationSeconds')),
		...paths.flatMap((field) => validateFileInVolume(certificate[field] ?? '', path.child(field))),
		...(paths.length === 0 ? [fieldRequired(path, missing)] : []),
	];
}

/** Upstream: `KubernetesMaxMaxExpirationSeconds` and `MaxMaxExpirationSeconds` in pkg/apis/certificates. */
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** The signers of Kubernetes itself issue certificates for a day at most, others for 91 days. */
function validateLifetime(
	{ signerName = '', maxExpirationSeconds: seconds }: Certificate,
	path: FieldPath,
): readonly FieldError[] {
	if (seconds === undefined) return [];
	const [domain = ''] = signerName.split('/', 1);
	const isOfKubernetes = domain === 'kubernetes.io' || domain.endsWith('.kubernetes.io');
	const most = isOfKubernetes ? DAY_SECONDS : 91 * DAY_SECONDS;
	if (seconds < HOUR_SECONDS)
		return [fieldInvalid(path, seconds, `if provided, maxExpirationSeconds must be >= ${HOUR_SECONDS}`)];
	if (seconds <= most) return [];
	return [fieldInvalid(path, seconds, `if provided, maxExpirationSeconds must be <= ${most}`)];
}

/** Unlike the keys of annotations, these need a domain (upstream: `IsDomainPrefixedKey`). */
function validateUserAnnotations(
	annotations: NonNullable<Certificate['userAnnotations']>,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	for (const given in annotations) {
		const key = given.toLowerCase();
		const problems = qualifiedName(key);
		if (key === '') errors.push(fieldRequired(path));
		else if (problems.length > 0) errors.push(...problems.map((text) => fieldInvalid(path, key, text)));
		else if (!key.includes('/'))
			errors.push(fieldInvalid(path, key, 'must be a domain-prefixed key (such as "acme.io/foo")'));
	}
	errors.push(...validateAnnotationsSize(annotations, path));
	return errors;
}

/** A file of a source, and the value that upstream shows in an error about its path. */
interface ProjectedFile {
	readonly file: string;
	readonly shown: string;
}

/** The files that a source writes. Upstream forgets the path of a token, and keeps an empty one of a bundle. */
function filesOf(source: VolumeProjection): readonly ProjectedFile[] {
	const { secret, configMap, downwardAPI, clusterTrustBundle, podCertificate } = source;
	const named = [secret, configMap].flatMap((object) =>
		(object?.items ?? []).map(({ path }) => ({ file: path, shown: object?.name ?? '' })),
	);
	const own = [
		...(downwardAPI?.items ?? []).map(({ path }) => path),
		...CERTIFICATE_PATHS.map((field) => podCertificate?.[field] ?? ''),
	];
	return [
		...[...named, ...own.map((path) => ({ file: path, shown: path }))].filter(({ file }) => file !== ''),
		...(clusterTrustBundle ? [{ file: clusterTrustBundle.path, shown: clusterTrustBundle.path }] : []),
	];
}
