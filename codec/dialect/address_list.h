// Several mailboxes in one text, as header fields and many services have them.
#pragma once

#include <vector>

#include <ringpost/base.h>

namespace ringpost::codec {

// Appends the mailboxes of `a@b, "Surname, Name" <c@d>; Group: e@f, g@h;`, each as it stands,
// without blanks around it. Names of groups are left out. Whether they are mailboxes is
// parse_mailbox's matter. Linear, no recursion.
void split_address_list(Bytes text, std::vector<Bytes>& mailboxes);

}  // namespace ringpost::codec
