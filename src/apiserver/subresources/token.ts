/**
 * POST to `serviceaccounts/<name>/token`: issues a token of the account (upstream: `TokenREST.Create` in
 * pkg/registry/core/serviceaccount/storage/token.go). A token that is bound to a Pod, Secret or Node is valid as
 * long as that object exists. The webhook configurations to which 1.37 can bind tokens are not served.
 */

import {
	DEFAULT_TOKEN_SECONDS,
	type TokenRequest,
	tokenRequestSchema,
	validateTokenSeconds,
} from '../../api/authentication/token-request.ts';
import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { nodes } from '../../api/core/node/definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import { secrets } from '../../api/core/secret/definition.ts';
import { serviceAccounts } from '../../api/core/serviceaccount/definition.ts';
import { badRequest, conflict, invalid, notFound } from '../../api/errors/api-error.ts';
import { fieldInvalid as invalidField } from '../../api/errors/field-errors.ts';
import { FieldPath } from '../../api/errors/field-path.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
import { assert } from '../../base/assert.ts';
import { approximate, entryOf } from '../../base/json/json.ts';
import { quote } from '../../base/quote.ts';
import { type BoundObjects, planClaims } from '../../plan/service-account/token-claims.ts';
import { API_AUDIENCES } from '../access/tokens/service-account-tokens.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { type Result, valueResult } from '../result.ts';
import { writeOptions } from '../verbs/write-options.ts';
import { admitPosted, decodePosted, type PostedKind } from './decode-create.ts';

const API_VERSION = 'authentication.k8s.io/v1';

const REQUEST: PostedKind<TokenRequest> = {
	kind: 'TokenRequest',
	apiVersions: [API_VERSION],
	schema: tokenRequestSchema,
};

/** The group and kind in errors. */
const SUBJECT = { group: 'authentication.k8s.io', resource: 'TokenRequest' };

/** Issues the token. Throws BadRequest, NotFound, Conflict or Invalid. */
export async function issueToken(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = writeOptions(request.call.query, 'CreateOptions');
	const posted = await decodePosted(request, REQUEST, options.fieldValidation);
	const account = accountOf(server, request, posted);
	const now = server.clock.now();
	const expirationSeconds = approximate(posted.spec.expirationSeconds ?? DEFAULT_TOKEN_SECONDS);
	const { audiences = [] } = posted.spec;
	const spec = {
		...posted.spec,
		audiences: audiences.length === 0 ? API_AUDIENCES : audiences,
		expirationSeconds,
	};
	const errors = validateTokenSeconds(posted.spec.expirationSeconds ?? DEFAULT_TOKEN_SECONDS);
	if (errors.length > 0) throw invalid({ ...SUBJECT, name: '' }, errors);
	await admitPosted(server, request, { posted: { ...posted, spec }, kind: REQUEST, options });
	const bound = boundObjects(server, request, spec.boundObjectRef);
	const id = server.random.uuid();
	const claims = planClaims({ account, ...spec, bound, id, now });
	const token = await server.accountTokens.issue(claims);
	const { name, namespace, uid } = account.metadata;
	return valueResult(201, {
		kind: REQUEST.kind,
		apiVersion: API_VERSION,
		metadata: { ...posted.metadata, name, namespace, uid, creationTimestamp: formatTime(now) },
		spec: { ...spec, boundObjectRef: spec.boundObjectRef ?? null },
		status: { token, expirationTimestamp: formatTime(now + expirationSeconds * 1000) },
	});
}

/** The account of the path; the metadata of the request must mean the same one. */
function accountOf(
	server: ServerContext,
	{ namespace, name }: ResourceRequest,
	{ metadata }: TokenRequest,
): KubeObject {
	if (metadata.name && metadata.name !== name) {
		const at = new FieldPath('metadata').child('name');
		const text = 'must match the service account name if specified';
		throw invalid({ ...SUBJECT, name }, [invalidField(at, metadata.name, text)]);
	}
	const account = objectOf(server, serviceAccounts, { namespace, name });
	const { uid } = account.metadata;
	if (metadata.uid && metadata.uid !== uid) {
		throw conflict(
			{ ...SUBJECT, name },
			`the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`,
		);
	}
	return account;
}

/** Finds an object. Throws NotFound. */
function objectOf(
	{ cache }: ServerContext,
	{ group, resource }: ResourceDefinition,
	{ namespace, name }: { readonly namespace: string; readonly name: string },
): KubeObject {
	const stored = cache.of(group, resource)?.get(namespace, name);
	if (!stored) throw notFound({ group, resource, name });
	return stored.object;
}

/** The objects that the token is bound to. Throws BadRequest, NotFound, or Conflict for another UID. */
function boundObjects(
	server: ServerContext,
	request: ResourceRequest,
	ref: TokenRequest['spec']['boundObjectRef'],
): BoundObjects {
	if (!ref) return {};
	const { name = '', uid, kind = '', apiVersion = '' } = ref;
	const { namespace } = request;
	const { group, version } = groupVersionOf(apiVersion);
	const found = group === '' ? entryOf(BOUND_KINDS, kind)?.(server, { namespace, name }) : undefined;
	if (!found) throw badRequest(unbindableText({ group, version, kind }));
	if (found.pod && found.pod.spec.serviceAccountName !== request.name) {
		throw badRequest(
			`cannot bind token for serviceaccount ${quote(request.name)} to pod running with different serviceaccount name.`,
		);
	}
	const current = found.current.metadata.uid;
	if (uid && uid !== current) {
		throw conflict(
			{ group: '', resource: kind, name },
			`the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
		);
	}
	return found;
}

/** An object that a token is bound to, and what of it becomes claims. */
type Found = BoundObjects & { readonly current: KubeObject };

type Finder = (server: ServerContext, at: { readonly namespace: string; readonly name: string }) => Found;

const BOUND_KINDS: Readonly<Record<string, Finder>> = {
	Pod: (server, at) => {
		const pod = objectOf(server, pods, at);
		assert(isPod(pod), 'an object of the resource pods is a Pod');
		const { nodeName = '' } = pod.spec;
		if (nodeName === '') return { current: pod, pod };
		// A Node that does not exist becomes a claim without UID.
		const node = server.cache.of('', nodes.resource)?.get('', nodeName)?.object ?? { name: nodeName };
		return { current: pod, pod, node };
	},
	Secret: (server, at) => {
		const secret = objectOf(server, secrets, at);
		return { current: secret, secret };
	},
	Node: (server, { name }) => {
		const node = objectOf(server, nodes, { namespace: '', name });
		return { current: node, node };
	},
};

/** Upstream: `ParseGroupVersion`; a malformed text counts as an empty one. */
function groupVersionOf(apiVersion: string): { readonly group: string; readonly version: string } {
	const parts = apiVersion.split('/');
	if (parts.length > 2) return { group: '', version: '' };
	const [version = '', group = ''] = parts.toReversed();
	return { group, version };
}

const WEBHOOKS = /^admissionregistration\.k8s\.io\/v1, Kind=(Validating|Mutating)WebhookConfiguration$/;

function unbindableText({ group, version, kind }: Record<'group' | 'version' | 'kind', string>): string {
	const type = `${group}/${version}, Kind=${kind}`;
	const gate = ' (feature gate APIServerWebhookAuthenticationToken is disabled)';
	return `cannot bind token to object of type ${type}${WEBHOOKS.test(type) ? gate : ''}`;
}
