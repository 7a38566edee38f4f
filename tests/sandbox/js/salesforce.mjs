// Drives the Salesforce imitation at the URL given with jsforce and prints what it saw as JSON.
import jsforce from 'jsforce';

const [baseUrl] = process.argv.slice(2);
const conn = new jsforce.Connection({
  oauth2: { loginUrl: baseUrl, clientId: 'sandbox-salesforce', clientSecret: 'sandbox-secret' },
  version: '66.0',
});
const user = await conn.authorize({ grant_type: 'client_credentials' });

const created = await conn.sobject('Account').create({ Name: 'From jsforce', Gateway_Id__c: 'JS-1' });
const upserted = await conn.sobject('Account').upsert({ Gateway_Id__c: 'JS-1', Phone: '1' }, 'Gateway_Id__c');
const many = await conn.sobject('Account').create(
  Array.from({ length: 450 }, (_, n) => ({ Name: `Many ${n}` })), { allowRecursive: true },
);
const paged = await conn.query("SELECT Id FROM Account WHERE Name LIKE 'Many%'", {
  autoFetch: true, maxFetch: 1000, headers: { 'Sforce-Query-Options': 'batchSize=200' },
});
const quotes = await conn.sobject('Quote')
  .find({ 'Account.AccountNumber': 'ACC-1003', Status: { $in: ['Approved'] } }, 'QuoteNumber, Account.Name')
  .include('QuoteLineItems').select('Quantity, Product2.ProductCode').end()
  .sort({ QuoteNumber: 1 }).limit(1);
const described = await conn.sobject('Quote').describe();
const refusal = await conn.sobject('Account').create({}).catch((error) => error);
const malformed = await conn.query('SELECT Nothing FROM Account').catch((error) => error);
const deleted = await conn.sobject('Account').destroy(created.id);
const limits = await conn.limits();

// A session that ended is replaced through the client's own refresh function.
await conn.oauth2.revokeToken(conn.accessToken);
const renewing = new jsforce.Connection({
  instanceUrl: baseUrl, version: '66.0', accessToken: conn.accessToken,
  refreshFn: (c, done) => c.oauth2.requestToken({ grant_type: 'client_credentials' })
    .then((token) => done(null, token.access_token), done),
  oauth2: conn.oauth2,
});
const afterRefresh = await renewing.query('SELECT COUNT() FROM Account');

console.log(JSON.stringify({
  instanceUrl: conn.instanceUrl, organizationId: user.organizationId, created, upserted,
  many: many.filter((one) => one.success).length, paged: paged.records.length, quotes,
  prefix: described.keyPrefix, refusal: { name: refusal.name, message: refusal.message }, malformed: malformed.errorCode,
  deleted: deleted.success, limit: limits.DailyApiRequests.Max > 0, afterRefresh: afterRefresh.totalSize, usage: conn.limitInfo,
}));
