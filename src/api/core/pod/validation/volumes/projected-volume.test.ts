import test from 'node:test';
import { check, LABEL, SUBDOMAIN } from '../testing/pod-problems.ts';

const AT = 'spec.volumes[0].projected';
const SOURCE = `${AT}.sources[0]`;

const projected = (...sources: readonly object[]): object => ({
	serviceAccountName: 'default',
	volumes: [{ name: 'v', projected: { sources } }],
});

test('a trust bundle is chosen either by its name or by its signer', () => {
	const at = `${SOURCE}.clusterTrustBundle`;
	const bundle = (fields: object): object => projected({ clusterTrustBundle: { path: 'ca.pem', ...fields } });
	const wrongName = (name: string, problem: string): string =>
		`${at}.name: Invalid value: ${JSON.stringify(name)}: not a valid clustertrustbundlename: ${problem}`;
	check([
		[bundle({ name: 'a' })],
		[bundle({ name: 'example.com:foo:a' })],
		[bundle({ signerName: 'example.com/foo', labelSelector: { matchLabels: { a: 'b' } } })],
		[bundle({}), `${at}: Required value: either name or signerName must be specified`],
		[
			bundle({ name: 'a', signerName: 'example.com/foo' }),
			`${at}: Invalid value: {"Name":"a","SignerName":"example.com/foo","LabelSelector":null,"Optional":null,"Path":"ca.pem","User":null}: only one of name and signerName may be used`,
		],
		[
			bundle({ name: '' }),
			`${at}.name: Required value: must be a valid object name`,
			wrongName('', SUBDOMAIN),
		],
		[bundle({ name: 'A' }), wrongName('A', SUBDOMAIN)],
		[bundle({ name: 'example.com:foo:A' }), wrongName('example.com:foo:A', SUBDOMAIN)],
		[
			bundle({ name: ':a' }),
			wrongName(':a', 'ClusterTrustBundle without signer name must not have ":" in its name'),
		],
		[
			bundle({ name: 'a', labelSelector: { matchLabels: { a: 'b' } } }),
			`${at}.labelSelector: Invalid value: {"matchLabels":{"a":"b"}}: labelSelector must be unset if name is specified`,
		],
		[
			bundle({ signerName: '' }),
			`${at}.signerName: Required value: must be a valid signer name`,
			`${at}.signerName: Required value`,
		],
		[
			bundle({
				signerName: 'example.com/foo',
				labelSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] },
			}),
			`${at}.labelSelector.matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
		],
		[bundle({ name: 'a', path: '' }), `${at}.path: Required value`],
		[bundle({ name: 'a', path: '../a' }), `${at}.path: Invalid value: "../a": must not contain '..'`],
	]);
});

test('the name of a signer is a domain and a path', () => {
	const at = `${SOURCE}.clusterTrustBundle.signerName`;
	const signer = (signerName: string): object =>
		projected({ clusterTrustBundle: { path: 'ca.pem', signerName } });
	const form = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
	const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
	check([
		[signer('example.com/ns.name')],
		[signer('example.com'), `${at}: Invalid value: "example.com": ${form}`],
		[signer('example.com/a/b'), `${at}: Invalid value: "example.com/a/b": ${form}`],
		[
			signer('example/a'),
			`${at}: Invalid value: "example": should be a domain with at least two segments separated by dots`,
		],
		[signer('A.B/a'), `${at}: Invalid value: "A.B": validating label "A": ${LABEL}`],
		[signer('example.com/a.B'), `${at}: Invalid value: "a.B": validating label "B": ${SUBDOMAIN}`],
		[signer('example.com/'), `${at}: Invalid value: "": validating label "": ${SUBDOMAIN}`],
		[signer(`${long}/a`)],
		[signer(`${long}e.f/a`), `${at}: Too long: may not be more than 253 bytes`],
		[signer(`${long}/${long}.${'e'.repeat(63)}`)],
		[signer(`${long}/${long}.${'e'.repeat(63)}.f`), `${at}: Too long: may not be more than 571 bytes`],
	]);
});

test('a certificate of the Pod needs a signer, a type of key and a file', () => {
	const at = `${SOURCE}.podCertificate`;
	const certificate = (fields: object): object =>
		projected({
			podCertificate: {
				signerName: 'example.com/foo',
				keyType: 'ED25519',
				credentialBundlePath: 'c.pem',
				...fields,
			},
		});
	const lifetime = `${at}.maxExpirationSeconds: Invalid value`;
	check([
		[certificate({})],
		[certificate({ credentialBundlePath: '', keyPath: 'key.pem', certificateChainPath: 'chain.pem' })],
		[
			projected({ podCertificate: {} }),
			`${at}.signerName: Required value`,
			`${at}.keyType: Unsupported value: "": supported values: "RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"`,
			`${at}: Required value: specify at least one of credentialBundlePath, keyPath, and certificateChainPath`,
		],
		[certificate({ maxExpirationSeconds: 3600, userAnnotations: { 'acme.io/Foo': 'bar' } })],
		[
			certificate({ maxExpirationSeconds: 3599 }),
			`${lifetime}: 3599: if provided, maxExpirationSeconds must be >= 3600`,
		],
		[certificate({ maxExpirationSeconds: 7_862_400 })],
		[
			certificate({ maxExpirationSeconds: 7_862_401 }),
			`${lifetime}: 7862401: if provided, maxExpirationSeconds must be <= 7862400`,
		],
		[
			certificate({ signerName: 'kubernetes.io/foo', maxExpirationSeconds: 86_401 }),
			`${lifetime}: 86401: if provided, maxExpirationSeconds must be <= 86400`,
		],
		[
			certificate({ userAnnotations: { foo: 'bar' } }),
			`${at}.userAnnotations: Invalid value: "foo": must be a domain-prefixed key (such as "acme.io/foo")`,
		],
		[certificate({ userAnnotations: { '': 'bar' } }), `${at}.userAnnotations: Required value`],
		[
			certificate({ userAnnotations: { 'acme.io/foo': 'b'.repeat(256 * 1024) } }),
			`${at}.userAnnotations: Too long: may not be more than 262144 bytes`,
		],
		[certificate({ keyPath: '/a' }), `${at}.keyPath: Invalid value: "/a": must be a relative path`],
		[certificate({ keyPath: 'c.pem' }), `${AT}: Invalid value: "c.pem": conflicting duplicate paths`],
	]);
});

test('two sources must not write the same file, and a source has one type', () => {
	const bundle = { clusterTrustBundle: { name: 'a', path: 'a' } };
	const file = { path: 'a', fieldRef: { fieldPath: 'metadata.name' } };
	check([
		[
			projected(bundle, { downwardAPI: { items: [file] } }),
			`${AT}: Invalid value: "a": conflicting duplicate paths`,
		],
		[
			projected({ ...bundle, downwardAPI: { items: [{ ...file, path: 'b' }] } }),
			`${SOURCE}: Forbidden: may not specify more than 1 volume type per source`,
		],
		[projected(bundle, { serviceAccountToken: { path: 'a' } })],
		[
			projected({ serviceAccountToken: { path: '', expirationSeconds: 599 } }),
			`${SOURCE}.serviceAccountToken.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes`,
			`${AT}.path: Required value`,
		],
		[
			projected({ serviceAccountToken: { path: '..a', expirationSeconds: 2 ** 32 + 1 } }),
			`${SOURCE}.serviceAccountToken.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds`,
			`${AT}.path: Invalid value: "..a": must not start with '..'`,
		],
	]);
});
