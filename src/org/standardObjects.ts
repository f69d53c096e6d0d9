/**
 * The standard objects of a new org, as far as bulk loads commonly touch them:
 * their fields with types, lengths and picklists, and which are required.
 */
import {
  address,
  checkbox,
  currency,
  date,
  dateTime,
  double,
  email,
  int,
  lookup,
  owner,
  percent,
  personName,
  phone,
  picklist,
  readOnly,
  required,
  type StandardObject,
  text,
  textArea,
  url,
  viewed
} from "./standardFields.ts"

const industries =
  "Agriculture|Apparel|Banking|Biotechnology|Chemicals|Communications|Construction|Consulting|Education|Electronics|Energy|Engineering|Entertainment|Environmental|Finance|Food & Beverage|Government|Healthcare|Hospitality|Insurance|Machinery|Manufacturing|Media|Not For Profit|Recreation|Retail|Shipping|Technology|Telecommunications|Transportation|Utilities|Other"
const sources = "Web|Phone Inquiry|Partner Referral|Purchased List|Other"
const ratings = "Hot|Warm|Cold"
const clean = "Matched|Different|Acknowledged|NotFound|Inactive|Pending|SelectMatch|Skipped"
const cleanStatus = picklist("CleanStatus", "Clean Status", clean, { length: 40, restrictedPicklist: true })

export const account: StandardObject = {
  name: "Account",
  label: "Account",
  keyPrefix: "001",
  fields: [
    text("Name", "Account Name", 255, required),
    picklist(
      "Type",
      "Account Type",
      "Prospect|Customer - Direct|Customer - Channel|Channel Partner / Reseller|Installation Partner|Technology Partner|Other"
    ),
    lookup("ParentId", "Parent Account ID", "Account"),
    ...address("Billing"),
    ...address("Shipping"),
    phone("Phone", "Account Phone"),
    phone("Fax", "Account Fax"),
    text("AccountNumber", "Account Number", 40),
    url("Website", "Website"),
    text("Sic", "SIC Code", 20),
    picklist("Industry", "Industry", industries),
    currency("AnnualRevenue", "Annual Revenue"),
    int("NumberOfEmployees", "Employees"),
    picklist("Ownership", "Ownership", "Public|Private|Subsidiary|Other"),
    text("TickerSymbol", "Ticker Symbol", 20),
    textArea("Description", "Account Description", 32_000),
    picklist("Rating", "Account Rating", ratings),
    text("Site", "Account Site", 80),
    owner(),
    picklist("AccountSource", "Account Source", sources),
    text("SicDesc", "SIC Description", 80),
    lookup("MasterRecordId", "Master Record ID", "Account", readOnly),
    url("PhotoUrl", "Photo URL", readOnly),
    text("Jigsaw", "Data.com Key", 20),
    cleanStatus,
    text("DunsNumber", "D-U-N-S Number", 9),
    text("Tradestyle", "Tradestyle", 255),
    text("NaicsCode", "NAICS Code", 8),
    text("NaicsDesc", "NAICS Description", 120),
    text("YearStarted", "Year Started", 4),
    date("LastActivityDate", "Last Activity", readOnly),
    ...viewed
  ]
}

export const contact: StandardObject = {
  name: "Contact",
  label: "Contact",
  keyPrefix: "003",
  fields: [
    lookup("AccountId", "Account ID", "Account"),
    ...personName(true),
    ...address("Other"),
    ...address("Mailing"),
    phone("Phone", "Business Phone"),
    phone("Fax", "Business Fax"),
    phone("MobilePhone", "Mobile Phone"),
    phone("HomePhone", "Home Phone"),
    phone("OtherPhone", "Other Phone"),
    phone("AssistantPhone", "Asst. Phone"),
    lookup("ReportsToId", "Reports To ID", "Contact"),
    email("Email", "Email", { idLookup: true }),
    text("Title", "Title", 128),
    text("Department", "Department", 80),
    text("AssistantName", "Assistant's Name", 40),
    picklist("LeadSource", "Lead Source", sources),
    date("Birthdate", "Birthdate"),
    textArea("Description", "Contact Description", 32_000),
    owner(),
    checkbox("HasOptedOutOfEmail", "Email Opt Out"),
    checkbox("HasOptedOutOfFax", "Fax Opt Out"),
    checkbox("DoNotCall", "Do Not Call"),
    date("LastActivityDate", "Last Activity", readOnly),
    text("EmailBouncedReason", "Email Bounced Reason", 255),
    dateTime("EmailBouncedDate", "Email Bounced Date"),
    checkbox("IsEmailBounced", "Is Email Bounced", readOnly),
    lookup("MasterRecordId", "Master Record ID", "Contact", readOnly),
    url("PhotoUrl", "Photo URL", readOnly),
    text("Jigsaw", "Data.com Key", 20),
    cleanStatus,
    ...viewed
  ]
}

const lead: StandardObject = {
  name: "Lead",
  label: "Lead",
  keyPrefix: "00Q",
  fields: [
    ...personName(true),
    text("Title", "Title", 128),
    text("Company", "Company", 255, required),
    ...address(""),
    phone("Phone", "Phone"),
    phone("MobilePhone", "Mobile Phone"),
    phone("Fax", "Fax"),
    email("Email", "Email", { idLookup: true }),
    url("Website", "Website"),
    textArea("Description", "Description", 32_000),
    picklist("LeadSource", "Lead Source", sources),
    picklist(
      "Status",
      "Status",
      "Open - Not Contacted*|Working - Contacted|Closed - Converted|Closed - Not Converted",
      required
    ),
    picklist("Industry", "Industry", industries),
    picklist("Rating", "Rating", ratings),
    currency("AnnualRevenue", "Annual Revenue"),
    int("NumberOfEmployees", "Employees"),
    owner("Group|User"),
    checkbox("IsConverted", "Converted", readOnly),
    date("ConvertedDate", "Converted Date", readOnly),
    lookup("ConvertedAccountId", "Converted Account ID", "Account", readOnly),
    lookup("ConvertedContactId", "Converted Contact ID", "Contact", readOnly),
    lookup("ConvertedOpportunityId", "Converted Opportunity ID", "Opportunity", readOnly),
    checkbox("IsUnreadByOwner", "Unread By Owner"),
    checkbox("HasOptedOutOfEmail", "Email Opt Out"),
    checkbox("HasOptedOutOfFax", "Fax Opt Out"),
    checkbox("DoNotCall", "Do Not Call"),
    lookup("MasterRecordId", "Master Record ID", "Lead", readOnly),
    url("PhotoUrl", "Photo URL", readOnly),
    text("Jigsaw", "Data.com Key", 20),
    cleanStatus,
    text("EmailBouncedReason", "Email Bounced Reason", 255),
    dateTime("EmailBouncedDate", "Email Bounced Date"),
    date("LastActivityDate", "Last Activity", readOnly),
    ...viewed
  ]
}

const opportunity: StandardObject = {
  name: "Opportunity",
  label: "Opportunity",
  keyPrefix: "006",
  fields: [
    lookup("AccountId", "Account ID", "Account"),
    checkbox("IsPrivate", "Private"),
    text("Name", "Name", 120, required),
    textArea("Description", "Description", 32_000),
    picklist(
      "StageName",
      "Stage",
      "Prospecting|Qualification|Needs Analysis|Value Proposition|Id. Decision Makers|Perception Analysis|Proposal/Price Quote|Negotiation/Review|Closed Won|Closed Lost",
      required
    ),
    currency("Amount", "Amount", { scale: 2 }),
    percent("Probability", "Probability (%)", 3, 0),
    currency("ExpectedRevenue", "Expected Amount", { scale: 2, ...readOnly }),
    double("TotalOpportunityQuantity", "Quantity", { scale: 2 }),
    date("CloseDate", "Close Date", required),
    picklist(
      "Type",
      "Opportunity Type",
      "Existing Customer - Upgrade|Existing Customer - Replacement|Existing Customer - Downgrade|New Customer"
    ),
    text("NextStep", "Next Step", 255),
    picklist("LeadSource", "Lead Source", sources),
    checkbox("IsClosed", "Closed", readOnly),
    checkbox("IsWon", "Won", readOnly),
    picklist("ForecastCategoryName", "Forecast Category", "Omitted|Pipeline|Best Case|Commit|Closed"),
    lookup("CampaignId", "Campaign ID", "Campaign"),
    owner(),
    lookup("ContactId", "Contact ID", "Contact", { updateable: false }),
    checkbox("HasOpportunityLineItem", "Has Line Item", readOnly),
    date("LastActivityDate", "Last Activity", readOnly),
    ...viewed
  ]
}

/** Case is `case_`: the word is taken. */
const case_: StandardObject = {
  name: "Case",
  label: "Case",
  keyPrefix: "500",
  fields: [
    text("CaseNumber", "Case Number", 30, {
      ...required,
      ...readOnly,
      defaultedOnCreate: true,
      autoNumber: true,
      idLookup: true
    }),
    lookup("ContactId", "Contact ID", "Contact"),
    lookup("AccountId", "Account ID", "Account"),
    lookup("ParentId", "Parent Case ID", "Case"),
    text("SuppliedName", "Name", 80),
    email("SuppliedEmail", "Email Address"),
    text("SuppliedPhone", "Phone", 40),
    text("SuppliedCompany", "Company", 80),
    picklist("Type", "Case Type", "Mechanical|Electrical|Electronic|Structural|Other"),
    picklist("Status", "Status", "New*|Working|Escalated|Closed"),
    picklist(
      "Reason",
      "Case Reason",
      "Installation|Equipment Complexity|Performance|Breakdown|Equipment Design|Feedback|Other"
    ),
    picklist("Origin", "Case Origin", "Phone|Email|Web"),
    text("Subject", "Subject", 255),
    picklist("Priority", "Priority", "High|Medium*|Low"),
    textArea("Description", "Description", 32_000),
    checkbox("IsClosed", "Closed", readOnly),
    dateTime("ClosedDate", "Closed Date", readOnly),
    checkbox("IsEscalated", "Escalated"),
    owner("Group|User"),
    textArea("Comments", "Internal Comments", 4_000),
    lookup("MasterRecordId", "Master Record ID", "Case", readOnly),
    ...viewed
  ]
}

const task: StandardObject = {
  name: "Task",
  label: "Task",
  keyPrefix: "00T",
  fields: [
    lookup("WhoId", "Name ID", "Contact|Lead"),
    lookup("WhatId", "Related To ID", "Account|Campaign|Case|Opportunity|Product2"),
    { name: "Subject", label: "Subject", type: "combobox", length: 255 },
    date("ActivityDate", "Due Date Only"),
    picklist("Status", "Status", "Not Started*|In Progress|Completed|Waiting on someone else|Deferred", required),
    picklist("Priority", "Priority", "High|Normal*|Low", required),
    checkbox("IsHighPriority", "High Priority", readOnly),
    owner("Group|User"),
    textArea("Description", "Description", 32_000),
    lookup("AccountId", "Account ID", "Account", readOnly),
    checkbox("IsClosed", "Closed", readOnly),
    checkbox("IsArchived", "Archived", readOnly),
    dateTime("CompletedDateTime", "Completed Date/Time", readOnly),
    int("CallDurationInSeconds", "Call Duration"),
    picklist("CallType", "Call Type", "Internal|Inbound|Outbound", { length: 40 }),
    text("CallDisposition", "Call Result", 255),
    text("CallObject", "Call Object Identifier", 255),
    checkbox("IsReminderSet", "Reminder Set"),
    dateTime("ReminderDateTime", "Reminder Date/Time"),
    picklist("TaskSubtype", "Task Subtype", "Task*|Email|ListEmail|Cadence|Call|LinkedIn", {
      length: 40,
      updateable: false,
      restrictedPicklist: true
    })
  ]
}

const product2: StandardObject = {
  name: "Product2",
  label: "Product",
  keyPrefix: "01t",
  fields: [
    text("Name", "Product Name", 255, required),
    text("ProductCode", "Product Code", 255),
    textArea("Description", "Product Description", 4_000),
    checkbox("IsActive", "Active"),
    picklist("Family", "Product Family", "None"),
    url("DisplayUrl", "Display URL", { length: 1_000 }),
    picklist("QuantityUnitOfMeasure", "Quantity Unit Of Measure", "Each"),
    text("StockKeepingUnit", "Product SKU", 180),
    text("ExternalId", "External ID", 255),
    checkbox("IsArchived", "Archived", readOnly),
    ...viewed
  ]
}

const user: StandardObject = {
  name: "User",
  label: "User",
  keyPrefix: "005",
  fields: [
    text("Username", "Username", 80, { ...required, idLookup: true }),
    ...personName(false),
    text("CompanyName", "Company Name", 80),
    text("Division", "Division", 80),
    text("Department", "Department", 80),
    text("Title", "Title", 80),
    ...address(""),
    email("Email", "Email", { ...required, length: 128, idLookup: true }),
    phone("Phone", "Phone"),
    phone("Fax", "Fax"),
    phone("MobilePhone", "Mobile"),
    text("Alias", "Alias", 8, required),
    text("CommunityNickname", "Nickname", 40, required),
    checkbox("IsActive", "Active"),
    picklist("TimeZoneSidKey", "Time Zone", "GMT|America/Los_Angeles|America/New_York|Europe/Paris|Asia/Tokyo", {
      ...required,
      length: 40
    }),
    picklist("LocaleSidKey", "Locale", "en_US|en_GB|de_DE|fr_FR|ja_JP", { ...required, length: 40 }),
    picklist("EmailEncodingKey", "Email Encoding", "UTF-8|ISO-8859-1|Shift_JIS", { ...required, length: 40 }),
    lookup("ProfileId", "Profile ID", "Profile", required),
    picklist("UserType", "User Type", "Standard|PowerPartner|CSPLitePortal|CustomerSuccess|Guest", {
      length: 40,
      ...readOnly
    }),
    picklist("LanguageLocaleKey", "Language", "en_US|de|es|fr|ja", { ...required, length: 40 }),
    lookup("UserRoleId", "Role ID", "UserRole"),
    text("EmployeeNumber", "Employee Number", 20),
    phone("Extension", "Extension"),
    textArea("AboutMe", "About Me", 1_000),
    lookup("ManagerId", "Manager ID", "User"),
    dateTime("LastLoginDate", "Last Login", readOnly),
    text("FederationIdentifier", "SAML Federation ID", 512)
  ]
}

const organization: StandardObject = {
  name: "Organization",
  label: "Organization",
  keyPrefix: "00D",
  fields: [
    text("Name", "Name", 80, { ...required, createable: false }),
    text("Division", "Division", 80, readOnly),
    ...address("").map((field) => ({ ...field, ...readOnly })),
    phone("Phone", "Phone", readOnly),
    phone("Fax", "Fax", readOnly),
    text("PrimaryContact", "Primary Contact", 80, readOnly),
    picklist("DefaultLocaleSidKey", "Locale", "en_US", { length: 40, ...readOnly }),
    picklist("TimeZoneSidKey", "Time Zone", "GMT", { length: 40, ...readOnly }),
    picklist("LanguageLocaleKey", "Language", "en_US", { length: 40, ...readOnly }),
    int("FiscalYearStartMonth", "Fiscal Year Starts In", readOnly),
    text("InstanceName", "Instance Name", 5, readOnly),
    checkbox("IsSandbox", "Is Sandbox", readOnly),
    picklist("OrganizationType", "Edition", "Team Edition|Professional Edition|Enterprise Edition|Developer Edition", {
      length: 40,
      ...readOnly
    }),
    text("NamespacePrefix", "Namespace Prefix", 15, readOnly),
    dateTime("TrialExpirationDate", "Trial Expiration Date", readOnly),
    checkbox("IsReadOnly", "Is Read Only", readOnly)
  ]
}

const campaign: StandardObject = {
  name: "Campaign",
  label: "Campaign",
  keyPrefix: "701",
  fields: [
    text("Name", "Name", 80, required),
    lookup("ParentId", "Parent Campaign ID", "Campaign"),
    picklist(
      "Type",
      "Type",
      "Conference|Webinar|Trade Show|Public Relations|Partners|Referral Program|Advertisement|Banner Ads|Direct Mail|Email|Telemarketing|Other",
      { length: 40 }
    ),
    picklist("Status", "Status", "Planned*|In Progress|Completed|Aborted", { length: 40 }),
    date("StartDate", "Start Date"),
    date("EndDate", "End Date"),
    currency("ExpectedRevenue", "Expected Revenue"),
    currency("BudgetedCost", "Budgeted Cost"),
    currency("ActualCost", "Actual Cost"),
    percent("ExpectedResponse", "Expected Response (%)", 10, 2),
    double("NumberSent", "Num Sent"),
    checkbox("IsActive", "Active"),
    textArea("Description", "Description", 32_000),
    owner(),
    date("LastActivityDate", "Last Activity", readOnly),
    ...viewed
  ]
}

const campaignMember: StandardObject = {
  name: "CampaignMember",
  label: "Campaign Member",
  keyPrefix: "00v",
  fields: [
    lookup("CampaignId", "Campaign ID", "Campaign", { ...required, updateable: false }),
    lookup("LeadId", "Lead ID", "Lead", { updateable: false }),
    lookup("ContactId", "Contact ID", "Contact", { updateable: false }),
    picklist("Status", "Status", "Sent*|Responded", { length: 40 }),
    checkbox("HasResponded", "Responded", readOnly),
    date("FirstRespondedDate", "First Responded Date", readOnly)
  ]
}

/** All of them. */
export const standardObjects: ReadonlyArray<StandardObject> = [
  account,
  contact,
  lead,
  opportunity,
  case_,
  task,
  product2,
  user,
  organization,
  campaign,
  campaignMember
]
