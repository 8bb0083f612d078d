import { selfSubjectReviews, tokenReviews } from '../../api/authentication/reviews.ts';
import {
	localSubjectAccessReviews,
	selfSubjectAccessReviews,
	selfSubjectRulesReviews,
	subjectAccessReviews,
} from '../../api/authorization/reviews.ts';
import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { Verb } from '../subresources/subresources.ts';
import { reviewAccess, reviewLocalAccess, reviewOwnAccess } from './access-review.ts';
import { reviewOwnRules } from './rules-review.ts';
import { reviewSelf } from './self-subject-review.ts';
import { reviewToken } from './token-review.ts';

/** How the server answers the creation of objects that are never stored. */
export const REVIEWS: ReadonlyMap<ResourceDefinition, Verb> = new Map([
	[selfSubjectReviews, reviewSelf],
	[tokenReviews, reviewToken],
	[subjectAccessReviews, reviewAccess],
	[localSubjectAccessReviews, reviewLocalAccess],
	[selfSubjectAccessReviews, reviewOwnAccess],
	[selfSubjectRulesReviews, reviewOwnRules],
]);
