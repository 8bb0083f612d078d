import type { AccessSpec, SelfAccessSpec } from '../../api/authorization/access-spec.ts';
import { ignoredSelectors } from '../../api/authorization/ignored-selectors.ts';
import {
	localSubjectAccessReviewSchema,
	type SelfSubjectAccessReview,
	type SubjectAccessReview,
	selfSubjectAccessReviewSchema,
	subjectAccessReviewSchema,
} from '../../api/authorization/reviews.ts';
import {
	validateAccess,
	validateLocalAccess,
	validateSelfAccess,
} from '../../api/authorization/validation.ts';
import type { User } from '../../api/contract/user.ts';
import { invalid } from '../../api/errors/api-error.ts';
import { collectErrors } from '../../api/errors/field-errors.ts';
import type { FieldError } from '../../api/errors/field-path.ts';
import type { ObjectMeta } from '../../api/meta/object-meta.ts';
import type { AuthorizationAttributes } from '../access/authorizer.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { type Result, valueResult } from '../result.ts';
import { admitPosted, decodePosted, type Posted, type PostedKind } from '../subresources/decode-create.ts';
import { writeOptions } from '../verbs/write-options.ts';

const API_VERSION = 'authorization.k8s.io/v1';

const SELF: PostedKind<SelfSubjectAccessReview> = {
	kind: 'SelfSubjectAccessReview',
	apiVersions: [API_VERSION],
	schema: selfSubjectAccessReviewSchema,
};

const SUBJECT: PostedKind<SubjectAccessReview> = {
	kind: 'SubjectAccessReview',
	apiVersions: [API_VERSION],
	schema: subjectAccessReviewSchema,
};

const LOCAL: PostedKind<SubjectAccessReview> = {
	kind: 'LocalSubjectAccessReview',
	apiVersions: [API_VERSION],
	schema: localSubjectAccessReviewSchema,
};

/** POST of a SelfSubjectAccessReview: whether the sender may do something (upstream: selfsubjectaccessreview.REST). */
export async function reviewOwnAccess(server: ServerContext, request: ResourceRequest): Promise<Result> {
	return answer(server, request, {
		kind: SELF,
		validate: validateSelfAccess,
		userOf: () => request.call.user,
	});
}

/** POST of a SubjectAccessReview: whether a user may do something (upstream: subjectaccessreview.REST). */
export async function reviewAccess(server: ServerContext, request: ResourceRequest): Promise<Result> {
	return answer(server, request, { kind: SUBJECT, validate: validateAccess, userOf: userIn });
}

/** POST of a LocalSubjectAccessReview: the same in one namespace (upstream: localsubjectaccessreview.REST). */
export async function reviewLocalAccess(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const { namespace } = request;
	const withNamespace = (posted: SubjectAccessReview): SubjectAccessReview => ({
		...posted,
		metadata: { ...posted.metadata, namespace },
	});
	return answer(server, request, {
		kind: LOCAL,
		complete: withNamespace,
		validate: validateLocalAccess,
		userOf: userIn,
	});
}

interface AccessReview extends Posted {
	readonly metadata: ObjectMeta;
	readonly spec: SelfAccessSpec;
}

/** What the kinds of reviews differ in. */
interface ReviewRules<T extends AccessReview> {
	readonly kind: PostedKind<T>;
	/** Adds what the request says. */
	complete?(posted: T): T;
	validate(review: T): readonly FieldError[];
	userOf(spec: T['spec']): User;
}

async function answer<T extends AccessReview>(
	server: ServerContext,
	request: ResourceRequest,
	{ kind, complete = (given) => given, validate, userOf }: ReviewRules<T>,
): Promise<Result> {
	const options = writeOptions(request.call.query, 'CreateOptions');
	const posted = complete(await decodePosted(request, kind, options.fieldValidation));
	const errors = collectErrors(() => validate(posted));
	// Upstream names no kind: it takes it from the object, which has none after its conversion.
	if (errors.length > 0) throw invalid({ group: 'authorization.k8s.io', resource: '', name: '' }, errors);
	await admitPosted(server, request, { posted, kind, options });
	const { spec } = posted;
	const decision = server.authorizer.authorize(attributesIn(spec, userOf(spec)));
	const reason = decision.allowed ? '' : decision.reason;
	const evaluationError = ignoredSelectors(spec.resourceAttributes);
	const status = {
		allowed: decision.allowed,
		...(reason !== '' && { reason }),
		...(evaluationError !== '' && { evaluationError }),
	};
	return valueResult(201, { ...posted, kind: kind.kind, apiVersion: API_VERSION, status });
}

function userIn({ user = '', groups = [], uid, extra }: AccessSpec): User {
	return { name: user, groups, ...(uid && { uid }), ...(extra && { extra }) };
}

/** Upstream: ResourceAttributesFrom and NonResourceAttributesFrom. */
function attributesIn(spec: SelfAccessSpec, user: User): AuthorizationAttributes {
	const { resourceAttributes, nonResourceAttributes } = spec;
	if (!resourceAttributes) {
		const { path = '', verb = '' } = nonResourceAttributes ?? {};
		return { type: 'path', user, verb, path };
	}
	const { verb = '', group = '', version, resource = '', subresource = '' } = resourceAttributes;
	const { namespace = '', name = '' } = resourceAttributes;
	return {
		type: 'resource',
		user,
		verb,
		group,
		resource,
		subresource,
		namespace,
		name,
		version: version || '*',
	};
}
