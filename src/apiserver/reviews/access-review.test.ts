import assert from 'node:assert/strict';
import test from 'node:test';
import { serviceAccountUser, type User } from '../../api/contract/user.ts';
import { isRecord } from '../../base/json/json.ts';
import { openTestServer, refusal, type TestServer } from '../testing/server-contract-suite.ts';

/** Reviews of access: what users may do. */

const REVIEWS = '/apis/authorization.k8s.io/v1';
const ACCOUNT = serviceAccountUser({ namespace: 'default', name: 'builder', uid: 'u', extra: {} });
const PODS = { verb: 'list', resource: 'pods', namespace: 'default' };

const RESOURCES: Readonly<Record<string, string>> = {
	SelfSubjectAccessReview: 'selfsubjectaccessreviews',
	SelfSubjectRulesReview: 'selfsubjectrulesreviews',
	SubjectAccessReview: 'subjectaccessreviews',
	LocalSubjectAccessReview: 'namespaces/default/localsubjectaccessreviews',
};

async function post(
	{ server }: TestServer,
	kind: string,
	{ spec, user, metadata }: { readonly spec: object; readonly user?: User; readonly metadata?: object },
): Promise<Readonly<Record<string, unknown>>> {
	const body = { kind, apiVersion: 'authorization.k8s.io/v1', ...(metadata && { metadata }), spec };
	const request = { method: 'POST', path: `${REVIEWS}/${RESOURCES[kind]}`, body } as const;
	const { code, object } = await server.request({ ...request, ...(user && { user }) });
	assert.equal(code, 201);
	assert.ok(isRecord(object));
	return object;
}

test('a SelfSubjectAccessReview answers for the sender of the request', async () => {
	const opened = await openTestServer();
	const spec = { resourceAttributes: PODS };
	assert.deepEqual(await post(opened, 'SelfSubjectAccessReview', { spec }), {
		kind: 'SelfSubjectAccessReview',
		apiVersion: 'authorization.k8s.io/v1',
		metadata: {},
		spec,
		status: { allowed: true },
	});
	const asked = async (own: object): Promise<unknown> =>
		(await post(opened, 'SelfSubjectAccessReview', { spec: own, user: ACCOUNT })).status;
	assert.deepEqual(await asked(spec), { allowed: false });
	const review = { verb: 'create', group: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews' };
	assert.deepEqual(await asked({ resourceAttributes: review }), { allowed: true });
	assert.deepEqual(await asked({ nonResourceAttributes: { verb: 'get', path: '/apis' } }), { allowed: true });
	assert.deepEqual(await asked({ nonResourceAttributes: { verb: 'get', path: '/metrics' } }), {
		allowed: false,
	});
	assert.deepEqual(await asked({ resourceAttributes: { ...PODS, labelSelector: { rawSelector: 'a b' } } }), {
		allowed: false,
		evaluationError: 'spec.resourceAttributes.labelSelector ignored due to parse error',
	});
	opened.server.close();
});

test('a SubjectAccessReview answers for any user, and only some may ask', async () => {
	const opened = await openTestServer();
	const asked = async (user: string, groups: readonly string[]): Promise<unknown> => {
		const spec = { user, groups, resourceAttributes: PODS };
		return (await post(opened, 'SubjectAccessReview', { spec })).status;
	};
	assert.deepEqual(await asked(ACCOUNT.name, ACCOUNT.groups), { allowed: false });
	assert.deepEqual(await asked(ACCOUNT.name, []), { allowed: false });
	assert.deepEqual(await asked('system:anonymous', ['system:unauthenticated']), { allowed: false });
	assert.deepEqual(await asked('kubernetes-admin', ['system:masters']), { allowed: true });
	const error = await refusal(
		post(opened, 'SubjectAccessReview', { spec: { user: 'a', resourceAttributes: PODS }, user: ACCOUNT }),
	);
	assert.match(error.message, /^subjectaccessreviews\.authorization\.k8s\.io is forbidden: /);
	opened.server.close();
});

test('a LocalSubjectAccessReview is about its namespace, which need not exist', async () => {
	const opened = await openTestServer();
	const spec = { user: ACCOUNT.name, resourceAttributes: PODS };
	const { metadata, status } = await post(opened, 'LocalSubjectAccessReview', { spec });
	assert.deepEqual([metadata, status], [{ namespace: 'default' }, { allowed: false }]);
	const at = (path: string, namespace: string): Promise<unknown> =>
		opened.server.request({
			method: 'POST',
			path: `${REVIEWS}/${path}`,
			body: { spec: { user: 'a', resourceAttributes: { ...PODS, namespace } } },
		});
	await at('namespaces/none/localsubjectaccessreviews', 'none');
	const other = await refusal(at('namespaces/default/localsubjectaccessreviews', 'none'));
	assert.equal(
		other.message,
		'.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "none": must match metadata.namespace',
	);
	assert.equal((await refusal(at('localsubjectaccessreviews', 'default'))).code, 404);
	opened.server.close();
});

test('a SelfSubjectRulesReview lists what the sender may do', async () => {
	const opened = await openTestServer();
	const spec = { namespace: 'default' };
	assert.deepEqual(await post(opened, 'SelfSubjectRulesReview', { spec }), {
		kind: 'SelfSubjectRulesReview',
		apiVersion: 'authorization.k8s.io/v1',
		metadata: {},
		spec: {},
		status: {
			resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
			nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
			incomplete: false,
		},
	});
	const { status } = await post(opened, 'SelfSubjectRulesReview', { spec, user: ACCOUNT });
	assert.ok(isRecord(status) && Array.isArray(status.resourceRules));
	assert.deepEqual(
		status.resourceRules.map(({ resources }) => resources),
		[['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['selfsubjectreviews']],
	);
	const empty = await refusal(post(opened, 'SelfSubjectRulesReview', { spec: {} }));
	assert.deepEqual([empty.code, empty.message], [400, 'no namespace on request']);
	opened.server.close();
});

test('an authorizer that cannot list rules answers with an incomplete list', async () => {
	const opened = await openTestServer({ authorizer: { authorize: () => ({ allowed: true }) } });
	const { status } = await post(opened, 'SelfSubjectRulesReview', { spec: { namespace: 'default' } });
	assert.ok(isRecord(status));
	assert.deepEqual([status.incomplete, status.resourceRules], [true, []]);
	opened.server.close();
});

test('the reason of a refusal is part of the answer', async () => {
	const authorizer = {
		authorize: ({ verb }: { readonly verb: string }) =>
			verb === 'list'
				? ({ allowed: false, reason: 'no rule matches' } as const)
				: ({ allowed: true } as const),
	};
	const opened = await openTestServer({ authorizer });
	const { status } = await post(opened, 'SelfSubjectAccessReview', { spec: { resourceAttributes: PODS } });
	assert.deepEqual(status, { allowed: false, reason: 'no rule matches' });
	opened.server.close();
});
