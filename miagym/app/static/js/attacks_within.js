(names, access, chosen) => {
  // The attacks that an access allows; of those that are chosen, the others are chosen no more.
  const offered = names[access] ?? [];
  const value = chosen.filter((name) => offered.includes(name));
  return { __type__: "update", choices: offered.map((name) => [name, name]), value };
}
